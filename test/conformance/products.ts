import { beforeAll, describe, expect, test } from "vitest";
import { createHeap } from "../../client/backend/wasm/heap.ts";
import type { Kernels } from "../../wasm/index.ts";
import { packedBytes, roundUp8 } from "../../wasm/records.ts";
import { firstOutside } from "../oracle/close.ts";
import { uniform } from "./samples.ts";

/** Terms of every entry of a product, and what it starts from; in the order in which entries are stored. */
interface Product {
  readonly kernel: "productForward" | "productWeightGradient" | "productInputGradient";
  /** Sizes of the result and of the sum. */
  readonly shape: (sizes: Sizes) => readonly [m: number, n: number, k: number];
  /** Sizes of the factors as stored. */
  readonly left: (sizes: Sizes) => Stored;
  readonly right: (sizes: Sizes) => Stored;
  /** Where term `t` of entry `(i, j)` is stored: row and column of the left factor, then of the right. */
  readonly term: (i: number, j: number, t: number) => readonly [number, number, number, number];
}
interface Sizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}
type Stored = readonly [rows: number, cols: number];

const PRODUCTS: readonly Product[] = [
  {
    kernel: "productForward",
    shape: ({ rows, inputs, outputs }) => [rows, outputs, inputs],
    left: ({ rows, inputs }) => [rows, inputs],
    right: ({ inputs, outputs }) => [inputs, outputs],
    term: (i, j, t) => [i, t, t, j],
  },
  {
    kernel: "productWeightGradient",
    shape: ({ rows, inputs, outputs }) => [inputs, outputs, rows],
    left: ({ rows, inputs }) => [rows, inputs],
    right: ({ rows, outputs }) => [rows, outputs],
    term: (i, j, t) => [t, i, t, j],
  },
  {
    kernel: "productInputGradient",
    shape: ({ rows, inputs, outputs }) => [rows, inputs, outputs],
    left: ({ rows, outputs }) => [rows, outputs],
    right: ({ inputs, outputs }) => [inputs, outputs],
    term: (i, j, t) => [i, t, j, t],
  },
];

/** One value, edges of the 4 x 8 tile, sums longer than what is added up between two visits of the result. */
const SIZES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 7, 5],
  [4, 8, 8],
  [5, 9, 17],
  [127, 65, 3],
  [300, 6, 12],
  [6, 300, 10],
  [10, 5, 520],
];

/**
 * The three products of a dense layer against float64, by the bound of a sum in any order, with or without fused
 * multiplication and addition: Higham 2002, equation 3.5.
 */
export function describeProducts(name: string, load: () => Promise<Kernels>): void {
  describe.each(PRODUCTS)(`$kernel of ${name}`, (product) => {
    let kernels: Kernels;
    beforeAll(async () => {
      kernels = await load();
    });
    test.each(SIZES)("is the float64 product for %i rows, %i inputs, %i outputs", (rows, inputs, outputs) => {
      const { found, expected, bounds } = compare(kernels, product, { rows, inputs, outputs });
      expect(firstOutside(found, expected, bounds)).toBeNull();
    });
  });
}

function compare(
  kernels: Kernels,
  { kernel, shape, left, right, term }: Product,
  sizes: Sizes,
): { readonly found: number[]; readonly expected: number[]; readonly bounds: number[] } {
  const [m, n, k] = shape(sizes);
  const [a, b] = [matrix(left(sizes), 1), matrix(right(sizes), 2)];
  const added = kernel === "productForward" ? uniform(n, 3) : new Float32Array(n);
  const result = multiplied(kernels, kernel, sizes, { a, b, added, entries: [m, n] });
  const at = Array.from({ length: m * n }, (_, e) => [Math.floor(e / n), e % n] as const);
  const terms = at.map(([i, j]) => {
    const products = Array.from({ length: k }, (_, t) => {
      const [ar, ac, br, bc] = term(i, j, t);
      return a.value(ar, ac) * b.value(br, bc);
    });
    return [added[j] ?? 0, ...products];
  });
  return {
    found: at.map(([i, j]) => result[i * roundUp8(n) + j] ?? Number.NaN),
    expected: terms.map((all) => all.reduce((sum, value) => sum + value, 0)),
    bounds: terms.map((all) => (k + 1) * 2 ** -23 * all.reduce((sum, value) => sum + Math.abs(value), 0)),
  };
}

interface Padded {
  /** Rows of a multiple of 8 values, zeros beyond the matrix. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly value: (row: number, col: number) => number;
}

function matrix([rows, cols]: Stored, seed: number): Padded {
  const row = roundUp8(cols);
  const values = new Float32Array(roundUp8(rows) * row);
  uniform(rows * cols, seed).forEach((value, e) => {
    values[Math.floor(e / cols) * row + (e % cols)] = value;
  });
  return { values, value: (r, c) => values[r * row + c] ?? Number.NaN };
}

function multiplied(
  kernels: Kernels,
  kernel: Product["kernel"],
  { rows, inputs, outputs }: Sizes,
  operands: {
    readonly a: Padded;
    readonly b: Padded;
    readonly added: Float32Array<ArrayBuffer>;
    readonly entries: Stored;
  },
): Float32Array {
  const heap = createHeap(kernels.memory, kernels.heapBase());
  const [m, n] = operands.entries;
  const added = new Float32Array(roundUp8(n));
  added.set(operands.added);
  const placed = [operands.a.values, operands.b.values, added].map((values) => {
    const at = heap.allocate(values.byteLength);
    return { at, values };
  });
  const length = roundUp8(m) * roundUp8(n);
  const result = heap.allocate(length * 4);
  const packed = heap.allocate(packedBytes(inputs, outputs, rows));
  // What was in the result and in the room before must not matter.
  heap.floats(result, length).fill(Number.NaN);
  for (const { at, values } of placed) heap.floats(at, values.length).set(values);
  const [left, right, start] = placed.map(({ at }) => at);
  kernels[kernel](rows, inputs, outputs, left ?? 0, right ?? 0, start ?? 0, result, packed);
  return heap.floats(result, length).slice();
}
