import kernelsUrl from "./dist/kernels.wasm?url";

/**
 * Exports of `wasm/kernels/` (AssemblyScript, baseline SIMD). Pointers are byte offsets into `memory`;
 * matrices and vectors start at multiples of 16 and may be read and written up to the next multiple.
 * Records are laid out by `records.ts`.
 */
export interface Kernels {
  readonly memory: WebAssembly.Memory;

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

  /**
   * One optimiser step for each `batchSize` of the `count` row indices at `order`.
   *
   * @returns mean over rows of the loss before each row's step
   */
  trainEpoch(network: number, optimizer: number, order: number, count: number, batchSize: number): number;

  /** Mean loss over the `count` rows at `order`; its gradient is left at the network's `gradient`. */
  lossGradient(network: number, order: number, count: number): number;

  /** Outputs of the `count` rows at `order`. @param outputs f32 `[count, outputs]` */
  predict(network: number, order: number, count: number, outputs: number): void;
}

/** The kernels in a memory of their own, from the module's bytes. */
export async function instantiateKernels(bytes: BufferSource): Promise<Kernels> {
  const { instance } = await WebAssembly.instantiate(bytes, {});
  return instance.exports as unknown as Kernels;
}

/** The kernels in a memory of their own, fetched from where the build put them; for pages and workers. */
export async function loadKernels(): Promise<Kernels> {
  const response = await fetch(kernelsUrl);
  if (!response.ok) throw new Error(`${kernelsUrl} answered ${response.status}`);
  return instantiateKernels(await response.arrayBuffer());
}
