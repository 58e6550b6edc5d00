import type { ModelSpec } from "../../../../protocol/model.ts";
import type { LocalTraining } from "../../../../protocol/tasks.ts";
import type { Gpu } from "../device.ts";
import { type BoundKernel, bind, dispatch } from "../dispatch.ts";
import type { Kernel, Pipelines } from "../pipelines.ts";
import type { NetworkBuffers, NetworkInput } from "./network-buffers.ts";
import { stepKernel } from "./optimizer.ts";
import { type LayerPlan, type Plan, TILE_ROWS, wholeTiles } from "./plan.ts";
import { STEP_STRIDE } from "./schedule.ts";

/** Compiled kernels of a network. */
export interface NetworkKernels {
  readonly gather: Kernel;
  readonly dense: Kernel;
  readonly weightGradient: Kernel;
  readonly inputGradient: Kernel;
  readonly loss: Kernel;
  readonly sum: Kernel;
  readonly step: Kernel;
}

/** Compiles what a network dispatches, in parallel. @throws {AstroScaleError} as `Pipelines.get` */
export async function compileNetwork(
  pipelines: Pipelines,
  { head }: ModelSpec,
  { optimizer }: LocalTraining,
): Promise<NetworkKernels> {
  const [gather, dense, weightGradient, inputGradient, loss, sum, step] = await Promise.all([
    pipelines.get("gather-rows"),
    pipelines.get("dense"),
    pipelines.get("dense-weight-gradient"),
    pipelines.get("dense-input-gradient"),
    pipelines.get(head),
    pipelines.get("gradient-sum"),
    pipelines.get(stepKernel(optimizer).name),
  ]);
  return { gather, dense, weightGradient, inputGradient, loss, sum, step };
}

/** One layer's kernels with their buffers; the first layer has no input gradient. */
interface BoundLayer {
  readonly plan: LayerPlan;
  readonly forward: BoundKernel;
  readonly weightGradient: BoundKernel;
  readonly inputGradient: BoundKernel | null;
}

/** One parameter group's kernels with their buffers. */
interface BoundGroup {
  readonly size4: number;
  readonly sum: BoundKernel;
  readonly stepFromPartials: BoundKernel;
  readonly stepFromSum: BoundKernel;
}

/**
 * A model's kernels bound to its memory, encoded in the order of backpropagation. `index` is the place of
 * the dispatch's `Step` in the steps buffer, `rows` those of its part.
 */
export class Network {
  readonly #plan: Plan;
  readonly #gather: BoundKernel;
  readonly #gatherCols4: number;
  readonly #fromSet: BoundKernel;
  readonly #layers: readonly BoundLayer[];
  readonly #loss: BoundKernel;
  readonly #groups: readonly BoundGroup[];

  constructor(gpu: Gpu, kernels: NetworkKernels, buffers: NetworkBuffers, { plan, x }: NetworkInput) {
    const { gathered, order, losses, steps, targets } = buffers;
    this.#plan = plan;
    this.#gather = bind(gpu, kernels.gather, [x.buffer, order, gathered, buffers.gatherShape]);
    this.#gatherCols4 = x.cols4;
    const shape = at(buffers.layerShapes, 0);
    const first = [at(buffers.parameters, 0), at(buffers.units, 0), shape, steps];
    this.#fromSet = bind(gpu, kernels.dense, [x.buffer, ...first]);
    this.#layers = plan.layers.map((layer, l) => bindLayer(gpu, kernels, buffers, { layer, l }));
    const last = plan.layers.length - 1;
    const logits = at(buffers.units, last);
    const headShape = at(buffers.layerShapes, last);
    this.#loss = bind(gpu, kernels.loss, [targets, order, logits, losses, headShape, steps]);
    this.#groups = plan.groups.map((size4, g) => bindGroup(gpu, kernels, buffers, { size4, g }));
  }

  /** Multiply-adds of a forward pass over `rows`. */
  forwardWork(rows: number): number {
    const size4 = this.#plan.groups.reduce((sum, group) => sum + group, 0);
    return wholeTiles(rows) * size4 * 4;
  }

  /** Dispatches of a forward pass; a training step takes three times as many, and one a group. */
  get depth(): number {
    return this.#layers.length;
  }

  /** Copies the rows of the first `slots` indices of the order. */
  gather(pass: GPUComputePassEncoder, slots: number): void {
    dispatch(pass, this.#gather, { invocations: slots * this.#gatherCols4 });
  }

  /** Outputs of rows of the training set itself, in place of gathered ones. */
  forwardOfSet(pass: GPUComputePassEncoder, index: number, rows: number): void {
    this.#layers.forEach(({ plan, forward }, l) => {
      dispatchTiles(pass, l === 0 ? this.#fromSet : forward, { index, rows, width4: plan.outputs4 });
    });
  }

  /** Adds the losses of a part's rows to `losses`, and leaves its gradient in `partials`. */
  lossGradient(pass: GPUComputePassEncoder, index: number, rows: number): void {
    for (const { plan, forward } of this.#layers) {
      dispatchTiles(pass, forward, { index, rows, width4: plan.outputs4 });
    }
    dispatch(pass, this.#loss, { invocations: wholeTiles(rows), stepAt: index * STEP_STRIDE });
    for (const { plan, weightGradient, inputGradient } of this.#layers.toReversed()) {
      const tiles = Math.ceil(plan.outputs4 / 2) * (Math.ceil(plan.inputs4 / 2) + 1);
      const invocations = tiles * this.#plan.slices;
      dispatch(pass, weightGradient, { invocations, stepAt: index * STEP_STRIDE });
      if (inputGradient) dispatchTiles(pass, inputGradient, { index, rows, width4: plan.inputs4 });
    }
  }

  /** Adds the part's gradient to the batch's. */
  sum(pass: GPUComputePassEncoder, index: number): void {
    for (const { size4, sum } of this.#groups) {
      dispatch(pass, sum, { invocations: size4, stepAt: index * STEP_STRIDE });
    }
  }

  /** One optimiser step, by the gradient of the only part of a batch, or by what `sum` added up. */
  step(pass: GPUComputePassEncoder, index: number, gradient: "partials" | "sum"): void {
    for (const { size4, stepFromPartials, stepFromSum } of this.#groups) {
      const step = gradient === "partials" ? stepFromPartials : stepFromSum;
      dispatch(pass, step, { invocations: size4, stepAt: index * STEP_STRIDE });
    }
  }
}

function dispatchTiles(
  pass: GPUComputePassEncoder,
  bound: BoundKernel,
  { index, rows, width4 }: { readonly index: number; readonly rows: number; readonly width4: number },
): void {
  const invocations = Math.ceil(width4 / 2) * (wholeTiles(rows) / TILE_ROWS);
  dispatch(pass, bound, { invocations, stepAt: index * STEP_STRIDE });
}

function bindLayer(
  gpu: Gpu,
  kernels: NetworkKernels,
  { parameters, partials, units, gathered, layerShapes, steps }: NetworkBuffers,
  { layer, l }: { readonly layer: LayerPlan; readonly l: number },
): BoundLayer {
  const own = at(units, l);
  const inputs = l === 0 ? gathered : at(units, l - 1);
  const weights = at(parameters, layer.group);
  const ends = [at(layerShapes, l), steps];
  return {
    plan: layer,
    forward: bind(gpu, kernels.dense, [inputs, weights, own, ...ends]),
    weightGradient: bind(gpu, kernels.weightGradient, [inputs, own, at(partials, layer.group), ...ends]),
    inputGradient: l === 0 ? null : bind(gpu, kernels.inputGradient, [own, weights, inputs, ...ends]),
  };
}

function bindGroup(
  gpu: Gpu,
  kernels: NetworkKernels,
  { parameters, partials, gradients, states, steps }: NetworkBuffers,
  { size4, g }: { readonly size4: number; readonly g: number },
): BoundGroup {
  const sources = { partials: at(partials, g), sum: at(gradients, g) };
  const ends = [at(parameters, g), ...at(states, g), steps];
  return {
    size4,
    sum: bind(gpu, kernels.sum, [sources.partials, sources.sum, steps]),
    stepFromPartials: bind(gpu, kernels.step, [sources.partials, ...ends]),
    stepFromSum: bind(gpu, kernels.step, [sources.sum, ...ends]),
  };
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`unreachable: no item ${index} of ${items.length}`);
  return item;
}
