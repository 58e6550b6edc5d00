import type { LocalTraining } from "../../../../../protocol/local-training.ts";
import { type ModelSpec, parameterLayout } from "../../../../../protocol/model.ts";
import type { Constants, Kernel } from "../../pipelines.ts";
import type { LayerKernels, TunedPipelines } from "../../tuned-pipelines.ts";
import { planActivation } from "./activation.ts";
import { stepKernel } from "./optimizer.ts";

const LARGEST_FLOAT = 3.4028234e38; // what an override constant may be

/** Compiled kernels of a network; `null` where there is nothing for one to do. */
export interface NetworkKernels {
  readonly gather: Kernel;
  /** The products of each layer. */
  readonly layers: readonly LayerKernels[];
  readonly activate: Kernel | null;
  readonly activationGradient: Kernel | null;
  readonly loss: Kernel;
  readonly sum: Kernel;
  readonly squares: Kernel | null;
  readonly clipScale: Kernel | null;
  readonly step: Kernel;
}

/**
 * Compiles what a network dispatches, in parallel; what is compiled already is there at once.
 *
 * @throws {AstroScaleError} as `Pipelines.get`
 */
export async function compileNetwork(
  pipelines: TunedPipelines,
  model: ModelSpec,
  training: LocalTraining,
): Promise<NetworkKernels> {
  const { constants } = planActivation(model, training);
  const clips = training.gradientClipNorm !== null;
  const optimizer = stepKernel(training);
  const [layers, gather, activate, activationGradient, loss, sum, squares, clipScale, step] =
    await Promise.all([
      Promise.all(layerShapes(model, training).map((shape) => pipelines.layer(shape))),
      pipelines.get("gather-rows"),
      constants && pipelines.get("activate", constants),
      constants && pipelines.get("activation-gradient"),
      pipelines.get(model.head, headConstants(model, training)),
      pipelines.get("gradient-sum"),
      clips ? pipelines.get("sum-of-squares") : null,
      clips ? pipelines.get("clip-scale") : null,
      pipelines.get(optimizer.name, optimizer.constants),
    ]);
  return { gather, layers, activate, activationGradient, loss, sum, squares, clipScale, step };
}

function layerShapes(model: ModelSpec, { batchSize }: LocalTraining) {
  return parameterLayout(model).map(({ inputs, outputs }) => ({
    inputs4: Math.ceil(inputs / 4),
    outputs4: Math.ceil(outputs / 4),
    batchSize,
  }));
}

function headConstants({ head }: ModelSpec, { classWeights, huberDelta }: LocalTraining): Constants {
  switch (head) {
    case "softmax-cross-entropy":
      return { WEIGHTED: classWeights === null ? 0 : 1 };
    case "huber":
      return { DELTA: Math.min(huberDelta, LARGEST_FLOAT) };
    case "mean-squared-error":
    case "gaussian":
      return {};
  }
}
