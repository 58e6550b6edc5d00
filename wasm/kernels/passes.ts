// A slice of a batch through the network and back, in the scratch of one lane.

import { activate, multiplyBy } from "./activation";
import { denseForward, denseInputGradient, denseWeightGradient } from "./dense";
import { dropoutFactors } from "./dropout";
import { gaussian } from "./gaussian";
import { Epilogue } from "./gemm";
import { huber } from "./huber";
import { meanSquaredError } from "./mean-squared-error";
import { Activation, Dropout, Head, Network, layerAt, rowBytes } from "./records";
import { softmaxCrossEntropy } from "./softmax-cross-entropy";

/** Copies rows of x by index into the padded slice. */
function gather(to: usize, x: usize, width: u32, order: usize, rows: u32): void {
  const whole: usize = <usize>(width & ~3) << 2;
  const bytes: usize = <usize>width << 2;
  const row = rowBytes(width);
  for (let r: u32 = 0; r < rows; r++) {
    const from = x + <usize>load<u32>(order + (<usize>r << 2)) * bytes;
    for (let c: usize = 0; c < whole; c += 16) v128.store(to + c, v128.load(from + c));
    for (let c = whole; c < bytes; c += 4) store<f32>(to + c, load<f32>(from + c));
    to += row;
  }
}

/** Whether ReLU is an epilogue of the products: forwards of its own layer's, backwards of the layer's above. */
// @ts-ignore: decorator
@inline
function isFused(network: Network, dropout: Dropout | null): bool {
  return network.activation == Activation.Relu && dropout == null;
}

/** Whether hidden layers leave a derivative for the way back. */
// @ts-ignore: decorator
@inline
function keepsDerivative(network: Network, dropout: Dropout | null): bool {
  if (dropout != null) return true;
  return network.activation == Activation.Gelu || network.activation == Activation.Tanh;
}

/**
 * Outputs of `rows` rows, left in the last layer's `y`.
 *
 * @param order where the rows' indices are
 * @param firstRow the place in the batch of the first of them
 * @param step of training, for dropout
 */
export function forward(
  network: Network, scratch: usize, order: usize, rows: u32,
  dropout: Dropout | null, firstRow: u32, step: u32,
): void {
  const count = network.layerCount;
  const hidden = isFused(network, dropout) ? Epilogue.Relu : Epilogue.None;
  let x = scratch + network.slice;
  gather(x, network.x, layerAt(network, 0).inputs, order, rows);
  for (let l: u32 = 0; l < count; l++) {
    const layer = layerAt(network, l);
    const y = scratch + layer.y;
    const last = l + 1 == count;
    denseForward(layer, x, y, rows, last ? Epilogue.None : hidden, scratch + network.packed);
    if (!last && keepsDerivative(network, dropout)) {
      const derivative = scratch + layer.derivative;
      if (dropout != null) dropoutFactors(derivative, rows, layer.outputs, dropout, firstRow, step, l);
      activate(network.activation, y, derivative, <usize>rows * rowBytes(layer.outputs), dropout != null);
    }
    x = y;
  }
}

/** Replaces the outputs by the derivatives of `scale` times the sum of the rows' losses; gives that sum. */
export function head(network: Network, scratch: usize, order: usize, rows: u32, scale: f32): f64 {
  const last = layerAt(network, network.layerCount - 1);
  const y = scratch + last.y, width = last.outputs, row = rowBytes(width), targets = network.targets;
  if (network.head == Head.SoftmaxCrossEntropy) {
    return softmaxCrossEntropy(y, row, rows, width, targets, order, network.classWeights, scale);
  }
  if (network.head == Head.MeanSquaredError) return meanSquaredError(y, row, rows, width, targets, order, scale);
  if (network.head == Head.Huber) {
    return huber(y, row, rows, width, targets, order, <f32>network.huberDelta, scale);
  }
  return gaussian(y, row, rows, width, targets, order, scale);
}

/**
 * From the outputs' derivatives to those of all parameters.
 *
 * @param gradient where they go @param accumulate add to what is there
 */
export function backward(
  network: Network, scratch: usize, rows: u32,
  dropout: Dropout | null, gradient: usize, accumulate: bool,
): void {
  const zeros = network.zeros, packed = scratch + network.packed;
  const mask = isFused(network, dropout) ? Epilogue.MaskByC : Epilogue.None;
  for (let l = network.layerCount - 1; l > 0; l--) {
    const layer = layerAt(network, l), below = layerAt(network, l - 1);
    const x = scratch + below.y, dy = scratch + layer.y;
    denseWeightGradient(layer, x, dy, rows, gradient, accumulate, zeros, packed);
    denseInputGradient(layer, x, dy, rows, mask, zeros, packed);
    if (keepsDerivative(network, dropout)) {
      multiplyBy(x, scratch + below.derivative, <usize>rows * rowBytes(below.outputs));
    }
  }
  const first = layerAt(network, 0);
  denseWeightGradient(
    first, scratch + network.slice, scratch + first.y, rows, gradient, accumulate, zeros, packed,
  );
}
