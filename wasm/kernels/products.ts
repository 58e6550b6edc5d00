// The three products of a dense layer, with the packing that each needs, for the benchmark and the tests: what
// multiply and pack cost and give apart from the network around them.

import { Epilogue, multiply } from "./gemm";
import { packRows, packTransposed } from "./pack";
import { rowBytes } from "./records";

/** `y = x w + b` @param x padded `[rows, inputs]` */
export function productForward(
  rows: u32, inputs: u32, outputs: u32, x: usize, w: usize, bias: usize, y: usize, packed: usize,
): void {
  const row = rowBytes(outputs);
  packRows(packed, w, row, inputs, outputs);
  multiply(rows, outputs, inputs, x, rowBytes(inputs), 4, packed, bias, 0, y, row, Epilogue.None);
}

/** `dw = x^T d` @param zeros a row of zeros, as long as a padded row of `d` */
export function productWeightGradient(
  rows: u32, inputs: u32, outputs: u32, x: usize, d: usize, zeros: usize, dw: usize, packed: usize,
): void {
  const row = rowBytes(outputs);
  packRows(packed, d, row, rows, outputs);
  multiply(inputs, outputs, rows, x, 4, rowBytes(inputs), packed, zeros, 0, dw, row, Epilogue.None);
}

/** `dx = d w^T` @param zeros a row of zeros, as long as a padded row of `x` */
export function productInputGradient(
  rows: u32, inputs: u32, outputs: u32, d: usize, w: usize, zeros: usize, dx: usize, packed: usize,
): void {
  const row = rowBytes(outputs);
  const terms = (outputs + 3) & ~3;
  packTransposed(packed, w, row, terms, inputs);
  multiply(rows, inputs, terms, d, row, 4, packed, zeros, 0, dx, rowBytes(inputs), Epilogue.None);
}
