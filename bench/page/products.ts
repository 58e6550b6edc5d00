import { createHeap } from "../../client/backend/wasm/heap.ts";
import { type Kernels, loadKernels } from "../../wasm/index.ts";
import { packedBytes } from "../../wasm/records.ts";
import { type Contestant, enter } from "./contest.ts";

/** The products of a dense layer: `y = x w`, `dw = x^T d`, `dx = d w^T`. */
export type ProductForm = "forward" | "weight-gradient" | "input-gradient";

/** Who multiplies: our two builds, peers, or three loops in JavaScript. All use one thread. */
export type Multiplier = "relaxed" | "baseline" | "tensorflow" | "onnxruntime" | "javascript";

/** Those that are to compute the same products. */
export interface ProductContest {
  readonly forms: readonly ProductForm[];
  /** Multiples of 8. */
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly sides: readonly Multiplier[];
}

/** A row-major matrix. */
export interface Operand {
  readonly values: Float32Array<ArrayBuffer>;
  readonly shape: readonly [number, number];
}

/** A product as a library is asked for it. */
export interface Product {
  readonly a: Operand;
  readonly b: Operand;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A side, and what it computed. */
export interface MultiplierSide extends Contestant {
  result(): Promise<Float32Array>;
}

type Sizes = Pick<ProductContest, "rows" | "inputs" | "outputs">;

function operand(rows: number, cols: number, phase: number): Operand {
  const values = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i * 0.7 + phase));
  return { values, shape: [rows, cols] };
}

function productOf(form: ProductForm, { rows, inputs, outputs }: Sizes): Product {
  const x = operand(rows, inputs, 0);
  const w = operand(inputs, outputs, 1);
  const d = operand(rows, outputs, 2);
  if (form === "forward") return { a: x, b: w, transposeA: false, transposeB: false };
  if (form === "weight-gradient") return { a: x, b: d, transposeA: true, transposeB: false };
  return { a: d, b: w, transposeA: false, transposeB: true };
}

const EXPORTS: Record<ProductForm, "productForward" | "productWeightGradient" | "productInputGradient"> = {
  forward: "productForward",
  "weight-gradient": "productWeightGradient",
  "input-gradient": "productInputGradient",
};

async function ourProduct(
  kernels: Kernels,
  form: ProductForm,
  { rows, inputs, outputs }: Sizes,
): Promise<MultiplierSide> {
  const { a, b } = productOf(form, { rows, inputs, outputs });
  const length = {
    forward: rows * outputs,
    "weight-gradient": inputs * outputs,
    "input-gradient": rows * inputs,
  };
  const heap = createHeap(kernels.memory, kernels.heapBase());
  const [left, right] = [a, b].map(({ values }) => heap.allocate(values.byteLength));
  const result = heap.allocate(length[form] * 4);
  const added = heap.allocate(Math.max(inputs, outputs) * 4);
  const packed = heap.allocate(packedBytes(inputs, outputs, rows));
  if (left === undefined || right === undefined) throw new Error("unreachable: there are two operands");
  heap.floats(left, a.values.length).set(a.values);
  heap.floats(right, b.values.length).set(b.values);
  heap.floats(added, Math.max(inputs, outputs)).fill(0);
  const multiply = kernels[EXPORTS[form]];
  return {
    async once() {
      multiply(rows, inputs, outputs, left, right, added, result, packed);
      return 0;
    },
    result: async () => heap.floats(result, length[form]).slice(),
    dispose() {},
  };
}

/** `c[i,j] = sum over k of a[i,k] b[k,j]`, the loops in the order that reads both by rows. */
function javascriptProduct({ a, b, transposeA, transposeB }: Product): MultiplierSide {
  const m = transposeA ? a.shape[1] : a.shape[0];
  const depth = transposeA ? a.shape[0] : a.shape[1];
  const n = transposeB ? b.shape[0] : b.shape[1];
  const [aRow, aCol] = transposeA ? [1, a.shape[1]] : [a.shape[1], 1];
  const [bRow, bCol] = transposeB ? [1, b.shape[1]] : [b.shape[1], 1];
  const c = new Float32Array(m * n);
  return {
    async once() {
      c.fill(0);
      for (let i = 0; i < m; i++) {
        for (let k = 0; k < depth; k++) {
          const factor = a.values[i * aRow + k * aCol] as number;
          for (let j = 0; j < n; j++) {
            c[i * n + j] = (c[i * n + j] as number) + factor * (b.values[k * bRow + j * bCol] as number);
          }
        }
      }
      return 0;
    },
    result: async () => c,
    dispose() {},
  };
}

async function sideOf(side: Multiplier, form: ProductForm, sizes: Sizes): Promise<MultiplierSide> {
  const product = productOf(form, sizes);
  switch (side) {
    case "relaxed":
    case "baseline":
      return ourProduct(await loadKernels({ relaxed: side === "relaxed", shared: false }), form, sizes);
    case "tensorflow":
      return (await import("./peers/tensorflow-product.ts")).tensorflowProduct(product);
    case "onnxruntime":
      return (await import("./peers/onnxruntime.ts")).onnxProduct(product);
    case "javascript":
      return javascriptProduct(product);
  }
}

/** Largest difference of every result from the first, by the largest value. */
function differences(results: readonly Float32Array[]): number[] {
  const [first = new Float32Array()] = results;
  const largest = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return results.map(
    (values) =>
      values.reduce((most, value, i) => Math.max(most, Math.abs(value - (first[i] ?? Number.NaN))), 0) /
      largest,
  );
}

/**
 * Opens every side on every form: all sides of the first form, then those of the next.
 *
 * @returns each one's largest difference from the first side of its form, by the largest value of the product
 */
export async function openProducts({ forms, sides, ...sizes }: ProductContest): Promise<number[]> {
  const contestants: MultiplierSide[] = [];
  const found: number[] = [];
  for (const form of forms) {
    const results: Float32Array[] = [];
    for (const name of sides) {
      const side = await sideOf(name, form, sizes);
      await side.once();
      results.push(await side.result());
      contestants.push(side);
    }
    found.push(...differences(results));
  }
  enter(contestants);
  return found;
}
