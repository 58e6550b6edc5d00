// One dense layer, `y = a(x w + b)`, forwards and backwards. Matrices are padded with zeros: rows of activations
// and weights have a length that is a multiple of 8, so that no product has a ragged edge.

import { Epilogue, multiply } from "./gemm";
import { packRows, packTransposed, sumColumns } from "./pack";
import { Layer, rowBytes } from "./records";

/** `y = x w + b`, through the epilogue. @param x padded `[rows, inputs]` @param y padded `[rows, outputs]` */
export function denseForward(layer: Layer, x: usize, y: usize, rows: u32, epilogue: Epilogue, packed: usize): void {
  const inputs = layer.inputs, outputs = layer.outputs;
  const row = rowBytes(outputs);
  packRows(packed, layer.weight, row, inputs, outputs);
  multiply(
    rows, outputs, inputs,
    x, rowBytes(inputs), 4,
    packed,
    layer.bias, 0,
    y, row,
    epilogue,
  );
}

/**
 * `dw = x^T dy; db = sum_r dy[r]`
 *
 * @param gradient where all parameters' gradient starts
 * @param accumulate add to what is there
 */
export function denseWeightGradient(
  layer: Layer, x: usize, dy: usize, rows: u32,
  gradient: usize, accumulate: bool, zeros: usize, packed: usize,
): void {
  const inputs = layer.inputs, outputs = layer.outputs;
  const row = rowBytes(outputs);
  const weight = gradient + layer.weightGradient, bias = gradient + layer.biasGradient;
  packRows(packed, dy, row, rows, outputs);
  sumColumns(bias, accumulate ? bias : zeros, packed, rows, outputs);
  multiply(
    inputs, outputs, rows,
    x, 4, rowBytes(inputs),
    packed,
    accumulate ? weight : zeros, accumulate ? row : 0,
    weight, row,
    Epilogue.None,
  );
}

/** `dx = dy w^T`, through the epilogue, in the place of x, the outputs of the layer below. */
export function denseInputGradient(
  layer: Layer, x: usize, dy: usize, rows: u32,
  epilogue: Epilogue, zeros: usize, packed: usize,
): void {
  const inputs = layer.inputs;
  const row = rowBytes(layer.outputs);
  const terms = (layer.outputs + 3) & ~3;
  packTransposed(packed, layer.weight, row, terms, inputs);
  multiply(
    rows, inputs, terms,
    dy, row, 4,
    packed,
    zeros, 0,
    x, rowBytes(inputs),
    epilogue,
  );
}
