import { AstroScaleError } from "../../../protocol/errors.ts";
import type { ColumnStatistics } from "../../../protocol/statistics.ts";
import type { WasmMachine } from "./machine.ts";
import type { WasmMatrix } from "./matrix.ts";

const FIELDS = 6;

/** Statistics of every column of `x`. */
export function moments({ kernels, heap }: WasmMachine, x: WasmMatrix): ColumnStatistics[] {
  const at = heap.allocate(x.cols * FIELDS * Float64Array.BYTES_PER_ELEMENT);
  kernels.moments(x.at, x.rows, x.cols, at);
  const values = heap.doubles(at, x.cols * FIELDS);
  const statistics = Array.from({ length: x.cols }, (_, c) => {
    const [count = 0, missing = 0, mean = 0, m2 = 0, min = 0, max = 0] = values.subarray(c * FIELDS);
    return { count, missing, mean, m2, min, max };
  });
  heap.free(at);
  return statistics;
}

/**
 * Calls `work` with the addresses of the row vectors, each written four times over, as the kernels that go
 * through a matrix in place want them.
 *
 * @throws {AstroScaleError} `shape_mismatch` when a vector has another width than `x`
 */
export function withTiles(
  { heap }: WasmMachine,
  x: WasmMatrix,
  vectors: readonly Float32Array<ArrayBuffer>[],
  work: (...tiles: number[]) => void,
): void {
  for (const { length } of vectors) {
    if (length !== x.cols) {
      throw new AstroScaleError("shape_mismatch", `a vector of ${length} values for ${x.cols} columns`);
    }
  }
  const length = x.cols * 4;
  const at = heap.allocate(vectors.length * length * 4);
  const tiles = vectors.map((vector, v) => {
    const tile = at + v * length * 4;
    for (let copy = 0; copy < 4; copy++) heap.floats(tile, length).set(vector, copy * x.cols);
    return tile;
  });
  work(...tiles);
  heap.free(at);
}
