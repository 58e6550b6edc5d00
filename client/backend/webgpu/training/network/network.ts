import type { Gpu } from "../../device.ts";
import { type BoundKernel, bind, dispatch } from "../../dispatch.ts";
import { dispatchRows, dispatchWeightGradient, type ProductKernel } from "../../products.ts";
import { type LayerPlan, type Plan, wholeTiles } from "../plan.ts";
import { STEP_STRIDE } from "../schedule.ts";
import { itemAt } from "./item-at.ts";
import type { NetworkBuffers, NetworkInput } from "./network-buffers.ts";
import type { NetworkKernels } from "./network-kernels.ts";

const ACTIVATION_OPERATIONS = 32; // about as many multiply-adds a unit

/** One layer's kernels with their buffers; the first layer has no input gradient. */
interface BoundLayer {
  readonly plan: LayerPlan;
  readonly forward: BoundKernel<ProductKernel>;
  /** Where the layer's outputs are activated by a kernel of their own. */
  readonly activation: BoundActivation | null;
  readonly weightGradient: BoundKernel<ProductKernel>;
  readonly inputGradient: BoundKernel<ProductKernel> | null;
}

interface BoundActivation {
  readonly forward: BoundKernel;
  readonly backward: BoundKernel;
}

/** A part of a batch as its dispatches see it: the place of its `Step` in the steps buffer, and its rows. */
export interface StepRows {
  readonly index: number;
  readonly rows: number;
}

/** A model's kernels bound to its memory, encoded in the order of backpropagation. */
export class Network {
  readonly #plan: Plan;
  readonly #activations: number;
  readonly #gather: BoundKernel;
  readonly #gatherCols4: number;
  readonly #fromSet: BoundKernel<ProductKernel>;
  readonly #layers: readonly BoundLayer[];
  readonly #loss: BoundKernel;

  constructor(gpu: Gpu, kernels: NetworkKernels, buffers: NetworkBuffers, { plan, x, model }: NetworkInput) {
    const { gathered, order, losses, steps, targets, classWeights } = buffers;
    this.#plan = plan;
    this.#activations = buffers.slopes.length;
    this.#gather = bind(gpu, kernels.gather, [x.buffer, order, gathered, buffers.gatherShape]);
    this.#gatherCols4 = x.cols4;
    const shape = itemAt(buffers.layerShapes, 0);
    const first = [itemAt(buffers.parameters, 0), itemAt(buffers.units, 0), shape, steps];
    this.#fromSet = bind(gpu, itemAt(kernels.layers, 0).dense, [x.buffer, ...first]);
    this.#layers = plan.layers.map((layer, l) => bindLayer(gpu, kernels, buffers, { layer, l }));
    const last = plan.layers.length - 1;
    const outputs = itemAt(buffers.units, last);
    const headShape = itemAt(buffers.layerShapes, last);
    const weights = model.head === "softmax-cross-entropy" ? [classWeights] : [];
    this.#loss = bind(gpu, kernels.loss, [targets, order, ...weights, outputs, losses, headShape, steps]);
  }

  /** Multiply-adds of a forward pass over `rows`; backwards they are twice as many. */
  forwardWork(rows: number): number {
    const parameters4 = this.#plan.groups.reduce((sum, size4) => sum + size4, 0);
    const activated = this.#plan.layers.slice(0, this.#activations);
    const activated4 = activated.reduce((sum, { outputs4 }) => sum + outputs4, 0);
    return wholeTiles(rows) * 4 * (parameters4 + ACTIVATION_OPERATIONS * activated4);
  }

  /** Dispatches of a forward pass. */
  get forwardDispatches(): number {
    return this.#layers.length + this.#activations;
  }

  /** Dispatches of `lossGradient`. */
  get gradientDispatches(): number {
    return 3 * this.#layers.length + 2 * this.#activations;
  }

  /** Copies the rows of the first `slots` indices of the order. */
  gather(pass: GPUComputePassEncoder, slots: number): void {
    dispatch(pass, this.#gather, { invocations: slots * this.#gatherCols4 });
  }

  /** Outputs of rows of the training set itself, in place of gathered ones. */
  forwardOfSet(pass: GPUComputePassEncoder, part: StepRows): void {
    this.#forward(pass, part, this.#fromSet);
  }

  /** Adds the losses of a part's rows to `losses`, and leaves its gradient in `partials`. */
  lossGradient(pass: GPUComputePassEncoder, part: StepRows): void {
    const stepAt = part.index * STEP_STRIDE;
    const rows = wholeTiles(part.rows);
    const { slices } = this.#plan;
    this.#forward(pass, part, null);
    dispatch(pass, this.#loss, { invocations: rows, stepAt });
    for (const { plan, activation, weightGradient, inputGradient } of this.#layers.toReversed()) {
      const { inputs4, outputs4 } = plan;
      // The derivative by what the layer put out gives way to that by its products before either gradient reads it.
      if (activation) dispatch(pass, activation.backward, { invocations: rows * outputs4, stepAt });
      dispatchWeightGradient(pass, weightGradient, { inputs4, outputs4, slices, stepAt });
      if (inputGradient) dispatchRows(pass, inputGradient, { rows, cols4: inputs4, stepAt });
    }
  }

  /** @param first the first layer's kernel where it reads something else than the gathered rows */
  #forward(
    pass: GPUComputePassEncoder,
    { index, rows: partRows }: StepRows,
    first: BoundKernel<ProductKernel> | null,
  ): void {
    const rows = wholeTiles(partRows);
    const stepAt = index * STEP_STRIDE;
    this.#layers.forEach(({ plan: { outputs4 }, forward, activation }, l) => {
      dispatchRows(pass, l === 0 ? (first ?? forward) : forward, { rows, cols4: outputs4, stepAt });
      if (activation) dispatch(pass, activation.forward, { invocations: rows * outputs4, stepAt });
    });
  }
}

function bindLayer(
  gpu: Gpu,
  kernels: NetworkKernels,
  buffers: NetworkBuffers,
  { layer, l }: { readonly layer: LayerPlan; readonly l: number },
): BoundLayer {
  const { parameters, partials, units, gathered, layerShapes, steps } = buffers;
  const products = itemAt(kernels.layers, l);
  const own = itemAt(units, l);
  const inputs = l === 0 ? gathered : itemAt(units, l - 1);
  const weights = itemAt(parameters, layer.group);
  const gradients = itemAt(partials, layer.group);
  const ends = [itemAt(layerShapes, l), steps];
  const inputGradient = products["dense-input-gradient"];
  return {
    plan: layer,
    forward: bind(gpu, products.dense, [inputs, weights, own, ...ends]),
    activation: bindActivation(gpu, kernels, buffers, l),
    weightGradient: bind(gpu, products["dense-weight-gradient"], [inputs, own, gradients, ...ends]),
    inputGradient: l === 0 ? null : bind(gpu, inputGradient, [own, weights, inputs, ...ends]),
  };
}

function bindActivation(
  gpu: Gpu,
  { activate, activationGradient }: NetworkKernels,
  { units, slopes, layerShapes, steps }: NetworkBuffers,
  l: number,
): BoundActivation | null {
  const slope = slopes[l];
  if (slope === undefined || activate === null || activationGradient === null) return null;
  const own = itemAt(units, l);
  const ends = [itemAt(layerShapes, l), steps];
  return {
    forward: bind(gpu, activate, [own, slope, ...ends]),
    backward: bind(gpu, activationGradient, [slope, own, ...ends]),
  };
}
