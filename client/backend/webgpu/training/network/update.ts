import type { Gpu } from "../../device.ts";
import { type BoundKernel, bind, dispatch } from "../../dispatch.ts";
import type { Plan } from "../plan.ts";
import { type Part, STEP_STRIDE } from "../schedule.ts";
import { itemAt } from "./item-at.ts";
import type { TermBuffers } from "./local-terms.ts";
import type { ClipBuffers, NetworkBuffers } from "./network-buffers.ts";
import type { NetworkKernels } from "./network-kernels.ts";

const STEP_OPERATIONS = 8; // about as many for each parameter, beside the sum of its row slices

/** The optimiser's step of one parameter group. */
interface BoundStep {
  readonly fromPartials: BoundKernel;
  readonly fromSum: BoundKernel;
}

/** What finds the factor that clips a gradient. */
interface BoundClip {
  readonly squares: readonly BoundKernel[];
  readonly counts: readonly number[];
  readonly scale: BoundKernel;
}

/** From the partial gradients of a batch's parts to new parameters. */
export class Update {
  readonly #gpu: Gpu;
  readonly #kernels: NetworkKernels;
  readonly #buffers: NetworkBuffers;
  readonly #plan: Plan;
  readonly #sums: readonly BoundKernel[];
  readonly #clip: BoundClip | null;
  #steps: readonly BoundStep[] = [];
  #terms: TermBuffers = { anchor: null, correction: null };

  constructor(gpu: Gpu, kernels: NetworkKernels, buffers: NetworkBuffers, plan: Plan) {
    this.#gpu = gpu;
    this.#kernels = kernels;
    this.#buffers = buffers;
    this.#plan = plan;
    this.#sums = plan.groups.map((_, g) => {
      const { partials, gradients, steps } = buffers;
      return bind(gpu, kernels.sum, [itemAt(partials, g), itemAt(gradients, g), steps]);
    });
    this.#clip = bindClip(gpu, kernels, buffers);
    this.#bindSteps();
  }

  /** Dispatches of a step. */
  get dispatches(): number {
    const groups = this.#plan.groups.length;
    return this.#clip === null ? groups : 3 * groups + 1;
  }

  /** Multiply-adds of a step. */
  get work(): number {
    const size4 = this.#plan.groups.reduce((sum, group) => sum + group, 0);
    return size4 * 4 * (this.#plan.slices + STEP_OPERATIONS);
  }

  /** Takes `terms` into the steps from now on. */
  hold(terms: TermBuffers): void {
    if (terms.anchor === this.#terms.anchor && terms.correction === this.#terms.correction) return;
    this.#terms = terms;
    this.#bindSteps();
  }

  /**
   * Encodes what follows the gradient of a part: its addition to the batch's, and after the last part the step.
   *
   * @param index place of the part's `Step` in the steps buffer
   * @param steps whether there is to be one; else the sum alone is wanted
   */
  encode(
    pass: GPUComputePassEncoder,
    { index, part, steps }: { readonly index: number; readonly part: Part; readonly steps: boolean },
  ): void {
    const stepAt = index * STEP_STRIDE;
    const atOnce = steps && part.fresh && part.last && this.#clip === null;
    if (!atOnce) this.#eachGroup(pass, this.#sums, stepAt);
    if (!steps || !part.last) return;
    if (this.#clip) encodeClip(pass, this.#clip);
    const bound = this.#steps.map(({ fromPartials, fromSum }) => (atOnce ? fromPartials : fromSum));
    this.#eachGroup(pass, bound, stepAt);
  }

  #eachGroup(pass: GPUComputePassEncoder, bound: readonly BoundKernel[], stepAt: number): void {
    bound.forEach((kernel, g) => {
      dispatch(pass, kernel, { invocations: itemAt(this.#plan.groups, g), stepAt });
    });
  }

  #bindSteps(): void {
    const { anchor, correction } = this.#terms;
    const { parameters, partials, gradients, states, clip, terms, steps, nothing } = this.#buffers;
    this.#steps = this.#plan.groups.map((_, g) => {
      const ends = [
        itemAt(parameters, g),
        ...itemAt(states, g),
        anchor ? itemAt(anchor, g) : nothing,
        correction ? itemAt(correction, g) : nothing,
        clip?.scale ?? nothing,
        terms,
        steps,
      ];
      return {
        fromPartials: bind(this.#gpu, this.#kernels.step, [itemAt(partials, g), ...ends]),
        fromSum: bind(this.#gpu, this.#kernels.step, [itemAt(gradients, g), ...ends]),
      };
    });
  }
}

function bindClip(
  gpu: Gpu,
  { squares, clipScale }: NetworkKernels,
  { gradients, clip, terms }: NetworkBuffers,
): BoundClip | null {
  if (squares === null || clipScale === null || clip === null) return null;
  const { sums, counts, shapes, scale }: ClipBuffers = clip;
  return {
    squares: shapes.map((shape, g) => bind(gpu, squares, [itemAt(gradients, g), sums, shape])),
    counts,
    scale: bind(gpu, clipScale, [sums, scale, terms]),
  };
}

function encodeClip(pass: GPUComputePassEncoder, { squares, counts, scale }: BoundClip): void {
  squares.forEach((kernel, g) => {
    dispatch(pass, kernel, { invocations: itemAt(counts, g) });
  });
  dispatch(pass, scale, { invocations: 1 });
}
