import type { LocalTraining } from "../../../../protocol/local-training.ts";
import type { Targets } from "../../backend.ts";
import { type Buffers, VEC4_BYTES } from "../buffers.ts";
import { padRows, type WebgpuMatrix } from "../matrix.ts";
import { stepKernel } from "./optimizer.ts";
import type { Plan } from "./plan.ts";
import { STEP_STRIDE } from "./schedule.ts";

/** Parts that one submit may hold. */
export const MAX_PARTS = 1024;

/** What a network works on. */
export interface NetworkInput {
  readonly plan: Plan;
  readonly training: LocalTraining;
  readonly x: WebgpuMatrix;
  readonly targets: Targets;
}

/** The device memory of a network; arrays go by layer or by parameter group. */
export interface NetworkBuffers {
  readonly parameters: readonly GPUBuffer[];
  /** State vectors of each group, as many as the optimiser keeps. */
  readonly states: readonly (readonly GPUBuffer[])[];
  /** Row slices of the gradient. */
  readonly partials: readonly GPUBuffer[];
  readonly gradients: readonly GPUBuffer[];
  /** Outputs of each layer, or the derivatives that take their place. */
  readonly units: readonly GPUBuffer[];
  /** Running sum of the losses of every row of a part. */
  readonly losses: GPUBuffer;
  readonly targets: GPUBuffer;
  readonly order: GPUBuffer;
  readonly gathered: GPUBuffer;
  readonly gatherShape: GPUBuffer;
  readonly layerShapes: readonly GPUBuffer[];
  readonly steps: GPUBuffer;
}

/**
 * Allocates a network's memory from `buffers`.
 *
 * @throws {AstroScaleError} `too_large` when the GPU has no buffer of a needed size
 */
export function allocateNetwork(
  buffers: Buffers,
  { plan, training, x, targets }: NetworkInput,
): NetworkBuffers {
  const { layers, groups, slices, partRows, slots } = plan;
  const { states } = stepKernel(training.optimizer);
  const perGroup = (label: string, copies: number): GPUBuffer[] =>
    groups.map((size4) => buffers.storage(label, copies * size4 * VEC4_BYTES));
  const stateVectors = Array.from({ length: states }, () => perGroup("optimiser state", 1));
  return {
    parameters: perGroup("parameters", 1),
    states: groups.map((_, g) => stateVectors.flatMap((vector) => vector[g] ?? [])),
    partials: perGroup("partial gradients", slices),
    gradients: perGroup("gradient", 1),
    units: layers.map(({ outputs4 }) => buffers.storage("units", partRows * outputs4 * VEC4_BYTES)),
    losses: buffers.storage("losses", partRows * 4),
    targets: buffers.filled("targets", targetWords(targets, x.rows, layers.at(-1)?.outputs ?? 0)),
    order: buffers.storage("order", slots * 4),
    gathered: buffers.storage("gathered rows", slots * x.cols4 * VEC4_BYTES),
    gatherShape: buffers.uniform("gather-rows", 8),
    layerShapes: layers.map(({ inputs4, outputs4, outputs, parametersAt, group }, l) => {
      const relu = l + 1 < layers.length ? 1 : 0;
      const gathered = l === 0 ? 1 : 0;
      const stride = groups[group] ?? 0;
      return buffers.shape("layer", [
        inputs4,
        outputs4,
        outputs,
        parametersAt,
        relu,
        gathered,
        slices,
        stride,
        l > 0 ? 1 : 0,
        l,
      ]);
    }),
    steps: buffers.uniform("steps", MAX_PARTS * STEP_STRIDE),
  };
}

function targetWords(targets: Targets, rows: number, outputs: number): Uint32Array<ArrayBuffer> {
  if (targets.kind === "class") return targets.classes;
  const { buffer, byteOffset, length } = targets.values;
  return padRows(new Uint32Array(buffer, byteOffset, length), rows, outputs);
}
