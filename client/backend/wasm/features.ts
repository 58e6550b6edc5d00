import { AstroScaleError } from "../../../protocol/errors.ts";
import type { FeatureTerm } from "../backend.ts";
import type { WasmMachine } from "./machine.ts";
import { WasmMatrix } from "./matrix.ts";

/** Rows copied in at once: ten columns of them are 160 KiB, in the L2 cache when the kernel reads them. */
const CHUNK_ROWS = 4096;

/**
 * Features of columns: `x[r, f] = columns[plus][r] - columns[minus][r]`, or `columns[plus][r]`.
 *
 * @throws {AstroScaleError} `shape_mismatch` when columns differ in length or a term names none of them
 */
export function encodeFeatures(
  { kernels, heap }: WasmMachine,
  columns: readonly Float32Array<ArrayBuffer>[],
  terms: readonly FeatureTerm[],
): WasmMatrix {
  const rows = checkedRows(columns, terms);
  const x = new WasmMatrix(heap, rows, terms.length);
  const stride = CHUNK_ROWS * 4;
  const rowBytes = terms.length * 4;
  const staging = heap.allocate(columns.length * stride);
  for (let row = 0; row < rows; row += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - row);
    columns.forEach((column, c) => {
      heap.floats(staging + c * stride, count).set(column.subarray(row, row + count));
    });
    terms.forEach(({ plus, minus }, f) => {
      const to = x.at + row * rowBytes + f * 4;
      const subtrahend = minus === null ? 0 : staging + minus * stride;
      kernels.encodeFeature(to, rowBytes, staging + plus * stride, subtrahend, count);
    });
  }
  heap.free(staging);
  return x;
}

function checkedRows(columns: readonly Float32Array<ArrayBuffer>[], terms: readonly FeatureTerm[]): number {
  const rows = columns[0]?.length ?? 0;
  const ragged = columns.findIndex((column) => column.length !== rows);
  if (ragged !== -1) {
    throw new AstroScaleError(
      "shape_mismatch",
      `column ${ragged} has ${columns[ragged]?.length} rows, column 0 has ${rows}`,
    );
  }
  for (const index of terms.flatMap(({ plus, minus }) => (minus === null ? [plus] : [plus, minus]))) {
    if (columns[index] === undefined) {
      throw new AstroScaleError(
        "shape_mismatch",
        `a term needs column ${index}, there are ${columns.length}`,
      );
    }
  }
  return rows;
}
