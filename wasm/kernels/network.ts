// A whole local epoch in one call. A batch is taken in slices of rows whose activations stay in cache; their
// gradients add up, and one optimiser step follows. Every sum has a fixed order, so results repeat to the bit.

import { Layer, denseForward, denseInputGradient, denseWeightGradient, rowBytes } from "./dense";
import { meanSquaredError } from "./mean-squared-error";
import { Optimizer, adam, momentum, sgd } from "./optimizer";
import { softmaxCrossEntropy } from "./softmax-cross-entropy";

/** A network, its training set and its workspace; `wasm/index.ts` says how it is filled. */
@unmanaged
export class Network {
  layerCount: u32;
  layers: usize;
  /** f32 `[training rows, inputs]` */
  x: usize;
  /** u32 classes or f32 `[training rows, outputs]` */
  targets: usize;
  /** 0 softmax cross-entropy, 1 mean squared error */
  head: u32;
  sliceRows: u32;
  /** padded `[slice rows, inputs]` */
  slice: usize;
  packed: usize;
  /** a row of zeros, as long as the widest padded row */
  zeros: usize;
  parameters: usize;
  gradient: usize;
  first: usize;
  second: usize;
  /** of all parameters with their padding */
  parameterBytes: usize;
}

const LAYER_BYTES: usize = offsetof<Layer>();

// @ts-ignore: decorator
@inline
function layerAt(network: Network, l: u32): Layer {
  return changetype<Layer>(network.layers + <usize>l * LAYER_BYTES);
}

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

function forward(network: Network, order: usize, rows: u32): void {
  let x = network.slice;
  gather(x, network.x, layerAt(network, 0).inputs, order, rows);
  const count = network.layerCount;
  for (let l: u32 = 0; l < count; l++) {
    const layer = layerAt(network, l);
    denseForward(layer, x, rows, l + 1 == count, network.packed);
    x = layer.y;
  }
}

function backward(network: Network, rows: u32, accumulate: bool): void {
  const zeros = network.zeros, packed = network.packed;
  for (let l = network.layerCount - 1; l > 0; l--) {
    const layer = layerAt(network, l), below = layerAt(network, l - 1);
    denseWeightGradient(layer, below.y, rows, accumulate, zeros, packed);
    denseInputGradient(layer, below, rows, zeros, packed);
  }
  denseWeightGradient(layerAt(network, 0), network.slice, rows, accumulate, zeros, packed);
}

/** Leaves the gradient of the mean loss over `count` rows in the network; gives the sum of their losses. */
function addUp(network: Network, order: usize, count: u32): f64 {
  const last = layerAt(network, network.layerCount - 1);
  const width = last.outputs;
  const row = rowBytes(width);
  const scale = <f32>(1 / <f64>count);
  let loss: f64 = 0;
  for (let at: u32 = 0; at < count; at += network.sliceRows) {
    const rows = min(network.sliceRows, count - at);
    const indices = order + (<usize>at << 2);
    forward(network, indices, rows);
    loss += network.head == 0
      ? softmaxCrossEntropy(last.y, row, rows, width, network.targets, indices, scale)
      : meanSquaredError(last.y, row, rows, width, network.targets, indices, scale);
    backward(network, rows, at > 0);
  }
  return loss;
}

function step(network: Network, optimizer: Optimizer): void {
  const w = network.parameters, g = network.gradient, bytes = network.parameterBytes;
  const rate = <f32>optimizer.learningRate;
  if (optimizer.rule == 0) sgd(w, g, bytes, rate);
  else if (optimizer.rule == 1) momentum(w, g, network.first, bytes, rate, <f32>optimizer.beta1);
  else adam(w, g, network.first, network.second, bytes, optimizer);
}

/** One optimiser step for each `batchSize` of the `count` indices at `order`; gives the mean loss before each row's step. */
export function trainEpoch(network: usize, optimizer: usize, order: usize, count: u32, batchSize: u32): f64 {
  let loss: f64 = 0;
  for (let at: u32 = 0; at < count; ) {
    const rows = min(batchSize, count - at);
    loss += addUp(changetype<Network>(network), order + (<usize>at << 2), rows);
    step(changetype<Network>(network), changetype<Optimizer>(optimizer));
    at += rows;
  }
  return loss / <f64>count;
}

/** Mean loss over the `count` rows at `order`; its gradient is left in the network. */
export function lossGradient(network: usize, order: usize, count: u32): f64 {
  return addUp(changetype<Network>(network), order, count) / <f64>count;
}

/** Outputs of the `count` rows at `order`, without padding: `[count, outputs]`. */
export function predict(network: usize, order: usize, count: u32, outputs: usize): void {
  const net = changetype<Network>(network);
  const last = layerAt(net, net.layerCount - 1);
  const bytes: usize = <usize>last.outputs << 2;
  const row = rowBytes(last.outputs);
  for (let at: u32 = 0; at < count; at += net.sliceRows) {
    const rows = min(net.sliceRows, count - at);
    forward(net, order + (<usize>at << 2), rows);
    for (let r: u32 = 0; r < rows; r++) {
      memory.copy(outputs, last.y + <usize>r * row, bytes);
      outputs += bytes;
    }
  }
}
