import type { KernelName } from "../../../shaders/index.ts";
import { type BoundKernel, dispatch } from "./dispatch.ts";
import type { Kernel } from "./pipelines.ts";

/** The matrix products of a layer: forward, and the derivatives by its inputs and weights. */
export const PRODUCTS = ["dense", "dense-input-gradient", "dense-weight-gradient"] as const;
export type Product = (typeof PRODUCTS)[number];

/** How a kernel computes a product; all of them give the same bits. Which is fastest depends on the GPU. */
export type ProductForm = "8x8" | "4x4" | "16x16" | "shared";

/** What some `invocations` of a kernel compute together: `rows` x `cols4` vec4s of the result. */
export interface Tile {
  readonly rows: number;
  readonly cols4: number;
  readonly invocations: number;
}

/** The tile of each form, as its WGSL has it. */
export const TILES: Readonly<Record<ProductForm, Tile>> = {
  "8x8": { rows: 8, cols4: 2, invocations: 1 },
  "4x4": { rows: 4, cols4: 1, invocations: 1 },
  "16x16": { rows: 16, cols4: 4, invocations: 1 },
  shared: { rows: 32, cols4: 8, invocations: 64 },
};

/** A compiled kernel of a product. */
export interface ProductKernel extends Kernel {
  readonly form: ProductForm;
}

/** The kernel that computes `product` in `form`. */
export function productKernelName(product: Product, form: ProductForm): KernelName {
  return form === "8x8" ? product : `${product}-${form}`;
}

/** Encodes a product whose result is `[rows, 4 * cols4]`: `dense`, or `dense-input-gradient`. */
export function dispatchRows(
  pass: GPUComputePassEncoder,
  bound: BoundKernel<ProductKernel>,
  { rows, cols4, stepAt }: { readonly rows: number; readonly cols4: number; readonly stepAt: number },
): void {
  const tile = TILES[bound.kernel.form];
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(cols4 / tile.cols4);
  dispatch(pass, bound, { invocations: tiles * tile.invocations, stepAt });
}

/** A weight gradient's result: `slices` of `[4 * inputs4 + 1, 4 * outputs4]`. */
export interface WeightGradientShape {
  readonly inputs4: number;
  readonly outputs4: number;
  readonly slices: number;
}

/** Encodes a `dense-weight-gradient`. */
export function dispatchWeightGradient(
  pass: GPUComputePassEncoder,
  bound: BoundKernel<ProductKernel>,
  { inputs4, outputs4, slices, stepAt }: WeightGradientShape & { readonly stepAt: number },
): void {
  const tile = TILES[bound.kernel.form];
  const bands = Math.ceil((4 * inputs4) / tile.rows) + 1; // the last is the bias
  const tiles = bands * Math.ceil(outputs4 / tile.cols4) * slices;
  dispatch(pass, bound, { invocations: tiles * tile.invocations, stepAt });
}
