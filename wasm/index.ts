import baselineUrl from "./dist/kernels.wasm?url";
import relaxedUrl from "./dist/kernels-relaxed.wasm?url";
import relaxedSharedUrl from "./dist/kernels-relaxed-shared.wasm?url";
import sharedUrl from "./dist/kernels-shared.wasm?url";
import { hostOf, sharedMemory } from "./shared-memory.ts";

/** Bytes of the block where lanes meet, laid out by `wasm/kernels/barrier.ts` and `lanes.ts`; zeros at first. */
export const SYNC_BYTES = 256;

/** Which of the binaries of one source. */
export interface KernelsBuild {
  /** Products of matrices fuse multiplication and addition where the processor can: faster, other rounding. */
  readonly relaxed: boolean;
  /** In a memory that threads share. */
  readonly shared: boolean;
}

/**
 * Sizes of a dense layer and addresses of a product's matrices, in the formula's order. Rows are padded with zeros to
 * a multiple of 8 values, and there is a multiple of 8 of them. `added` is a row that is added to every row of the
 * result; `packed` is room for one operand (`packedBytes` of `records.ts`).
 */
export type ProductOperands = readonly [
  ...sizes: readonly [rows: number, inputs: number, outputs: number],
  ...addresses: readonly [left: number, right: number, added: number, result: number, packed: number],
];

/**
 * Exports of `wasm/kernels/` (AssemblyScript). Pointers are byte offsets into `memory`; matrices and vectors
 * start at multiples of 16 and may be read and written up to the next multiple. Records are laid out by
 * `records.ts`.
 */
export interface Kernels extends KernelsBuild {
  readonly memory: WebAssembly.Memory;
  /** What the lanes of a shared memory instantiate. */
  readonly module: WebAssembly.Module;

  /** The first byte that the module itself does not use. */
  heapBase(): number;

  /**
   * One feature of `rows` records: `x[r] = plus[r] - minus[r]`, or `plus[r]` when `minus` is 0.
   *
   * @param x the feature's first value in a row-major matrix; `rowBytes` lead to the next
   */
  encodeFeature(x: number, rowBytes: number, plus: number, minus: number, rows: number): void;

  /** In place: `x[r,c] = isNaN(x[r,c]) ? fill[c] : x[r,c]`. @param tile `fill`, four times over */
  impute(x: number, rows: number, cols: number, tile: number): void;

  /** In place: `x[r,c] = (x[r,c] - mean[c]) * invStd[c]`. @param meanTile `mean`, four times over; `invStdTile` alike */
  standardise(x: number, rows: number, cols: number, meanTile: number, invStdTile: number): void;

  /** Statistics of every column. @param statistics f64 `[cols, 6]`: count, missing, mean, m2, min, max */
  moments(x: number, rows: number, cols: number, statistics: number): void;

  /** A dense layer's product on the way forwards, as training computes it: `y = x w + b`. */
  productForward(...operands: ProductOperands): void;

  /** `dw = x^T d`, with zeros to add. */
  productWeightGradient(...operands: ProductOperands): void;

  /** `dx = d w^T`, with zeros to add. */
  productInputGradient(...operands: ProductOperands): void;

  /** One lane's part of a job, from its record; returns when every lane has done its own. */
  runJob(job: number, lane: number): void;

  /** Gives the job to all lanes but 0, which wait in `serveJobs`; 0 for the last time. @param sync the sync block */
  publishJob(sync: number, job: number): void;

  /** Blocks the thread and runs its part of every published job, until one is 0. @param lane from 1 */
  serveJobs(sync: number, lane: number): void;
}

/** A module with one of the instructions of relaxed SIMD, `i8x16.relaxed_swizzle`. */
const RELAXED_PROBE = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2,
  253, 15, 253, 128, 2, 11,
]);

/** Whether this engine runs the relaxed builds. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE);
}

/**
 * Whether this thread may share its memory and wait for others: not on a page's main thread, and not where the
 * page is not isolated from other origins.
 */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer !== "function") return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * The kernels in a memory of their own.
 *
 * @param source a binary of any build, or what it was compiled to
 */
export async function instantiateKernels(source: BufferSource | WebAssembly.Module): Promise<Kernels> {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  const shared = WebAssembly.Module.imports(module).length > 0;
  const given = shared ? hostOf(sharedMemory()) : {};
  const { exports } = await WebAssembly.instantiate(module, given);
  const { memory, relaxed } = exports as { memory: WebAssembly.Memory; relaxed: WebAssembly.Global<"i32"> };
  return { ...(exports as unknown as Kernels), memory, module, shared, relaxed: relaxed.value !== 0 };
}

/** The kernels of a build in a memory of their own, fetched from where the build put them; for pages and workers. */
export async function loadKernels({ relaxed, shared }: KernelsBuild): Promise<Kernels> {
  const alone = relaxed ? relaxedUrl : baselineUrl;
  const together = relaxed ? relaxedSharedUrl : sharedUrl;
  const url = shared ? together : alone;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return instantiateKernels(await response.arrayBuffer());
}
