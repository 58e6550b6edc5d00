import { AstroScaleError } from "../../../protocol/errors.ts";
import { Buffers, VEC4_BYTES } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { type BoundKernel, bind } from "./dispatch.ts";
import { STEP_BYTES } from "./kernels.ts";
import {
  dispatchRows,
  dispatchWeightGradient,
  type Product,
  type ProductForm,
  type ProductKernel,
} from "./products.ts";
import { readBytes } from "./readback.ts";

const MAX_ROWS = 2048;
const MAX_MULTIPLY_ADDS = 2 ** 27; // 3 ms on a GPU of 100 GFLOP/s, so that slow ones do not take long
const MAX_SLICES = 8;
const SLICE_ROWS = 32;
const ROUNDS = 3;
const ROUND_MS = 2; // of one kernel: some times what a submit itself costs
const MAX_REPEATS = 64;
const WORTHWHILE = 0.95; // of the time of the first form, below which another is taken

/** A product of a layer in training. */
export interface ProductShape {
  readonly product: Product;
  readonly inputs4: number;
  readonly outputs4: number;
  readonly batchSize: number;
}

/**
 * The form in which this GPU computes a product fastest, found in some 20 ms of dispatches on made-up values. A
 * form whose bits are not those of the first is passed over, whatever its speed.
 *
 * @param kernels at least one
 * @throws {AstroScaleError} `device_lost`; without memory for the measurement the first form is taken
 */
export async function fastestForm(
  gpu: Gpu,
  shape: ProductShape,
  kernels: readonly ProductKernel[],
): Promise<ProductForm> {
  const [first, ...others] = kernels;
  if (first === undefined) throw new Error("unreachable: a product has a kernel");
  const buffers = new Buffers(gpu);
  try {
    const rig = await gpu.allocated(
      () => new Rig(gpu, buffers, shape),
      () => buffers.dispose(),
    );
    const wanted = await rig.result(first);
    const equal: ProductKernel[] = [first];
    for (const kernel of others) {
      if (sameBits(await rig.result(kernel), wanted)) equal.push(kernel);
    }
    return await race(rig, equal);
  } catch (error) {
    if (error instanceof AstroScaleError && SHORTAGES.has(error.code)) return first.form;
    throw error;
  } finally {
    buffers.dispose();
  }
}

const SHORTAGES: ReadonlySet<string> = new Set(["out_of_memory", "too_large"]);

async function race(rig: Rig, kernels: readonly ProductKernel[]): Promise<ProductForm> {
  let once = Number.POSITIVE_INFINITY;
  for (const kernel of kernels) once = Math.min(once, await rig.time(kernel, 1));
  const repeats = Math.min(Math.max(Math.ceil(ROUND_MS / once), 1), MAX_REPEATS);
  const best = kernels.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, kernel] of kernels.entries()) {
      best[k] = Math.min(best[k] ?? 0, await rig.time(kernel, repeats));
    }
  }
  const least = Math.min(...best);
  const winner = least < WORTHWHILE * (best[0] ?? 0) ? best.indexOf(least) : 0;
  return kernels[winner]?.form ?? "8x8";
}

/** One product's buffers, full of made-up values, on which its kernels take turns. */
class Rig {
  readonly #gpu: Gpu;
  readonly #shape: ProductShape;
  readonly #rows: number;
  readonly #slices: number;
  /** In the order in which the kernel declares them. */
  readonly #bindings: readonly GPUBuffer[];
  readonly #result: GPUBuffer;

  constructor(gpu: Gpu, buffers: Buffers, shape: ProductShape) {
    const { inputs4, outputs4, batchSize, product } = shape;
    this.#gpu = gpu;
    this.#shape = shape;
    const fitting = Math.floor(MAX_MULTIPLY_ADDS / (16 * inputs4 * outputs4) / 8) * 8;
    this.#rows = Math.max(Math.min(Math.ceil(batchSize / 8) * 8, MAX_ROWS, fitting), 8);
    this.#slices = Math.min(MAX_SLICES, Math.ceil(this.#rows / SLICE_ROWS));

    const parameters4 = (4 * inputs4 + 1) * outputs4;
    const x = (): GPUBuffer => buffers.filled("tuning inputs", madeUp(this.#rows * inputs4));
    const d = (): GPUBuffer => buffers.filled("tuning outputs", madeUp(this.#rows * outputs4));
    const w = (): GPUBuffer => buffers.filled("tuning parameters", madeUp(parameters4));
    const empty = (size4: number): GPUBuffer => buffers.storage("tuning result", size4 * VEC4_BYTES);
    const data = {
      dense: () => [x(), w(), empty(this.#rows * outputs4)],
      "dense-input-gradient": () => [d(), w(), empty(this.#rows * inputs4)],
      "dense-weight-gradient": () => [x(), d(), empty(this.#slices * parameters4)],
    }[product]();
    // `Layer` and `Step` of shaders/lib: no ReLU and nothing gathered, all rows one batch.
    const layer = [inputs4, outputs4, 4 * outputs4, 0, 0, 0, this.#slices, parameters4, 0, 0, 0, 0];
    const step = Array.from({ length: STEP_BYTES / 4 }, () => 0);
    step.splice(0, 4, 0, this.#rows, this.#rows, 1);
    this.#bindings = [...data, buffers.shape("tuning layer", layer), buffers.shape("tuning step", step)];
    const [, , result] = data;
    if (result === undefined) throw new Error("unreachable: a product has two operands and a result");
    this.#result = result;
  }

  /** The product's bits. */
  async result(kernel: ProductKernel): Promise<Uint32Array> {
    this.#submit(kernel, 1);
    return new Uint32Array(await readBytes(this.#gpu, this.#result, this.#result.size));
  }

  /** Milliseconds of one of `repeats` dispatches in a submit. */
  async time(kernel: ProductKernel, repeats: number): Promise<number> {
    const start = performance.now();
    this.#submit(kernel, repeats);
    await this.#gpu.settled(this.#gpu.device.queue.onSubmittedWorkDone());
    return (performance.now() - start) / repeats;
  }

  #submit(kernel: ProductKernel, repeats: number): void {
    const bound = bind(this.#gpu, kernel, this.#bindings);
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) this.#dispatch(pass, bound);
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  #dispatch(pass: GPUComputePassEncoder, bound: BoundKernel<ProductKernel>): void {
    const { product, inputs4, outputs4 } = this.#shape;
    if (product === "dense-weight-gradient") {
      dispatchWeightGradient(pass, bound, { inputs4, outputs4, slices: this.#slices, stepAt: 0 });
    } else {
      const cols4 = product === "dense" ? outputs4 : inputs4;
      dispatchRows(pass, bound, { rows: this.#rows, cols4, stepAt: 0 });
    }
  }
}

/** `size4` vec4s of values in `[-1, 1)`, whose sums round. */
function madeUp(size4: number): Float32Array<ArrayBuffer> {
  let word = 1;
  return Float32Array.from({ length: 4 * size4 }, () => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    return word / 2 ** 31 - 1;
  });
}

function sameBits(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
