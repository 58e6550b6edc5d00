// Records that the kernels read from memory, field by field as in wasm/kernels/dense.ts, network.ts, optimizer.ts.

/** One dense layer. Rows of weights and outputs are padded with zeros to a multiple of 8 values. */
export interface LayerRecord {
  readonly inputs: number;
  readonly outputs: number;
  /** f32 `[roundUp8(inputs), roundUp8(outputs)]` */
  readonly weight: number;
  readonly bias: number;
  readonly weightGradient: number;
  readonly biasGradient: number;
  /** f32 `[sliceRows, roundUp8(outputs)]` */
  readonly y: number;
}

/** A network, its training set and its workspace. */
export interface NetworkRecord {
  readonly layerCount: number;
  /** `layerCount` layer records, one after another. */
  readonly layers: number;
  /** f32 `[training rows, inputs]` */
  readonly x: number;
  /** u32 `[training rows]` or f32 `[training rows, outputs]`, as the head wants */
  readonly targets: number;
  readonly head: "softmax-cross-entropy" | "mean-squared-error";
  /** Rows whose activations are held at once, a multiple of 4. */
  readonly sliceRows: number;
  /** f32 `[sliceRows, roundUp8(inputs)]`, zero at first */
  readonly slice: number;
  /** Room for one packed operand: see `packedBytes`. */
  readonly packed: number;
  /** A row of zeros as long as the widest padded row. */
  readonly zeros: number;
  readonly parameters: number;
  readonly gradient: number;
  /** Momentum's velocity or Adam's first moment. */
  readonly first: number;
  /** Adam's second moment. */
  readonly second: number;
  /** Of all parameters with their padding, a multiple of 16. */
  readonly parameterBytes: number;
}

/** The optimiser's rule and state. */
export interface OptimizerRecord {
  readonly rule: "sgd" | "momentum" | "adam";
  readonly learningRate: number;
  /** Momentum, or Adam's beta1. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export const LAYER_BYTES = 7 * 4;
export const NETWORK_BYTES = 14 * 4;
export const OPTIMIZER_BYTES = 7 * 8;

/** The least multiple of 8 that is not below `width`: values in a padded row. */
export function roundUp8(width: number): number {
  return Math.ceil(width / 8) * 8;
}

/** Bytes that the largest packed operand of a layer takes: its weights, their transpose, or a slice of outputs. */
export function packedBytes(inputs: number, outputs: number, sliceRows: number): number {
  return 4 * roundUp8(outputs) * Math.max(roundUp8(inputs), sliceRows);
}

/** Writes a layer record at byte `at`. */
export function writeLayer(memory: WebAssembly.Memory, at: number, layer: LayerRecord): void {
  const { inputs, outputs, weight, bias, weightGradient, biasGradient, y } = layer;
  const words = [inputs, outputs, weight, bias, weightGradient, biasGradient, y];
  new Uint32Array(memory.buffer, at, words.length).set(words);
}

/** Writes a network record at byte `at`. */
export function writeNetwork(memory: WebAssembly.Memory, at: number, network: NetworkRecord): void {
  const { layerCount, layers, x, targets, head, sliceRows, slice, packed, zeros } = network;
  const { parameters, gradient, first, second, parameterBytes } = network;
  const headWord = head === "softmax-cross-entropy" ? 0 : 1;
  const data = [layerCount, layers, x, targets, headWord];
  const workspace = [sliceRows, slice, packed, zeros];
  const state = [parameters, gradient, first, second, parameterBytes];
  const words = data.concat(workspace, state);
  new Uint32Array(memory.buffer, at, words.length).set(words);
}

/** Writes an optimiser record that has taken no step yet at byte `at`, a multiple of 8. */
export function writeOptimizer(memory: WebAssembly.Memory, at: number, optimizer: OptimizerRecord): void {
  const { rule, learningRate, beta1, beta2, epsilon } = optimizer;
  const ruleNumber = { sgd: 0, momentum: 1, adam: 2 }[rule];
  const powers = [1, 1]; // beta^0
  const doubles = [ruleNumber, learningRate, beta1, beta2, epsilon].concat(powers);
  new Float64Array(memory.buffer, at, doubles.length).set(doubles);
}
