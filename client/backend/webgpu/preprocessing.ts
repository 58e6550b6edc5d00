import { AstroScaleError } from "../../../protocol/errors.ts";
import type { FeatureTerm } from "../backend.ts";
import { Buffers } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { bind, runNow } from "./dispatch.ts";
import { padRows, WebgpuMatrix } from "./matrix.ts";
import type { Kernel } from "./pipelines.ts";

const NONE = 0xffffffff; // in encode-features.wgsl: no column is subtracted

/**
 * Features of columns, as `Backend.encodeFeatures`.
 *
 * @throws {AstroScaleError} `shape_mismatch` when columns differ in length or a term names none of them;
 * `too_large` when the GPU has no buffer for the columns or the matrix
 */
export function encodeFeatures(
  gpu: Gpu,
  kernel: Kernel,
  columns: readonly Float32Array<ArrayBuffer>[],
  terms: readonly FeatureTerm[],
): WebgpuMatrix {
  const rows = columns[0]?.length ?? 0;
  checkColumns(columns, terms);
  const buffers = new Buffers(gpu);
  let x: WebgpuMatrix | null = null;
  try {
    const planar = buffers.storage(`${columns.length} columns of ${rows} rows`, columns.length * rows * 4);
    columns.forEach((column, c) => gpu.device.queue.writeBuffer(planar, c * rows * 4, column));
    const pairs = Uint32Array.from(terms.flatMap(({ plus, minus }) => [plus, minus ?? NONE]));
    x = new WebgpuMatrix(gpu, rows, terms.length);
    const shape = buffers.shape("encode-features", [rows, terms.length]);
    const bound = bind(gpu, kernel, [planar, buffers.filled("terms", pairs), x.buffer, shape]);
    runNow(gpu, bound, rows * x.cols4);
    return x;
  } finally {
    buffers.dispose(x?.buffer);
  }
}

/** As `Backend.impute`. @throws {AstroScaleError} `shape_mismatch` when `fill` is not `[cols]` */
export function impute(gpu: Gpu, kernel: Kernel, x: WebgpuMatrix, fill: Float32Array<ArrayBuffer>): void {
  changeInPlace(gpu, kernel, x, { fill });
}

/** As `Backend.standardise`. @throws {AstroScaleError} `shape_mismatch` when a vector is not `[cols]` */
export function standardise(
  gpu: Gpu,
  kernel: Kernel,
  x: WebgpuMatrix,
  vectors: { readonly mean: Float32Array<ArrayBuffer>; readonly invStd: Float32Array<ArrayBuffer> },
): void {
  changeInPlace(gpu, kernel, x, { mean: vectors.mean, invStd: vectors.invStd });
}

/** Runs a kernel that takes vectors of `[cols]` and changes each value of `x`. */
function changeInPlace(
  gpu: Gpu,
  kernel: Kernel,
  x: WebgpuMatrix,
  vectors: Readonly<Record<string, Float32Array<ArrayBuffer>>>,
): void {
  for (const [name, { length }] of Object.entries(vectors)) {
    if (length !== x.cols) {
      throw new AstroScaleError("shape_mismatch", `${name} has ${length} values, x has ${x.cols} columns`);
    }
  }
  const buffers = new Buffers(gpu);
  const inputs = Object.entries(vectors).map(([name, { buffer, byteOffset, length }]) =>
    buffers.filled(name, padRows(new Uint32Array(buffer, byteOffset, length), 1, length)),
  );
  const values4 = x.rows * x.cols4;
  const shape = buffers.shape(kernel.name, [values4, x.cols4]);
  runNow(gpu, bind(gpu, kernel, [...inputs, x.buffer, shape]), values4);
  buffers.dispose(x.buffer);
}

function checkColumns(columns: readonly Float32Array<ArrayBuffer>[], terms: readonly FeatureTerm[]): void {
  const rows = columns[0]?.length ?? 0;
  const uneven = columns.findIndex(({ length }) => length !== rows);
  if (uneven !== -1) {
    throw new AstroScaleError(
      "shape_mismatch",
      `column ${uneven} has ${columns[uneven]?.length} rows, column 0 has ${rows}`,
    );
  }
  for (const { plus, minus } of terms) {
    for (const column of minus === null ? [plus] : [plus, minus]) {
      if (columns[column] !== undefined) continue;
      throw new AstroScaleError(
        "shape_mismatch",
        `a feature of column ${column}, there are ${columns.length}`,
      );
    }
  }
}
