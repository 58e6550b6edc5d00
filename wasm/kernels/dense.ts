// One dense layer, `y = relu(x w + b)`, forwards and backwards. Matrices are padded with zeros: rows of
// activations and weights have a length that is a multiple of 8, so that no product has a ragged edge.

import { Epilogue, multiply } from "./gemm";
import { packRows, packTransposed, sumColumns } from "./pack";

/** One layer; `wasm/index.ts` says how it is filled. */
@unmanaged
export class Layer {
  inputs: u32;
  outputs: u32;
  /** [roundUp(inputs, 8), roundUp(outputs, 8)] */
  weight: usize;
  bias: usize;
  weightGradient: usize;
  biasGradient: usize;
  /** [slice rows, roundUp(outputs, 8)]: outputs on the way forwards, their derivatives on the way back. */
  y: usize;
}

/** Bytes from a row of a padded matrix to the next. */
// @ts-ignore: decorator
@inline
export function rowBytes(width: u32): usize {
  return <usize>((width + 7) & ~7) << 2;
}

/** `y = x w + b`, through ReLU unless this is the last layer. @param x padded `[rows, inputs]` */
export function denseForward(layer: Layer, x: usize, rows: u32, last: bool, packed: usize): void {
  const inputs = layer.inputs, outputs = layer.outputs;
  const row = rowBytes(outputs);
  packRows(packed, layer.weight, row, inputs, outputs);
  multiply(
    rows, outputs, inputs,
    x, rowBytes(inputs), 4,
    packed,
    layer.bias, 0,
    layer.y, row,
    last ? Epilogue.None : Epilogue.Relu,
  );
}

/** `dw = x^T dy; db = sum_r dy[r]`, added to what `start` says. @param accumulate add to the slices before */
export function denseWeightGradient(
  layer: Layer, x: usize, rows: u32, accumulate: bool, zeros: usize, packed: usize,
): void {
  const inputs = layer.inputs, outputs = layer.outputs;
  const row = rowBytes(outputs);
  packRows(packed, layer.y, row, rows, outputs);
  sumColumns(layer.biasGradient, accumulate ? layer.biasGradient : zeros, packed, rows, outputs);
  multiply(
    inputs, outputs, rows,
    x, 4, rowBytes(inputs),
    packed,
    accumulate ? layer.weightGradient : zeros, accumulate ? row : 0,
    layer.weightGradient, row,
    Epilogue.None,
  );
}

/** `dx = dy w^T` where x is positive, else 0; takes the place of x, the outputs of the layer `below`. */
export function denseInputGradient(layer: Layer, below: Layer, rows: u32, zeros: usize, packed: usize): void {
  const inputs = layer.inputs;
  const row = rowBytes(layer.outputs);
  const terms = (layer.outputs + 3) & ~3;
  packTransposed(packed, layer.weight, row, terms, inputs);
  multiply(
    rows, inputs, terms,
    layer.y, row, 4,
    packed,
    zeros, 0,
    below.y, rowBytes(inputs),
    Epilogue.MaskByC,
  );
}
