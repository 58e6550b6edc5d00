// Records that the kernels read from memory, field by field as in wasm/kernels/records.ts.

const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;
const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const RULES = ["sgd", "momentum", "nesterov", "adam"] as const;
const JOBS = ["train", "gradient", "predict"] as const;

/** One dense layer. Rows of weights and outputs are padded with zeros to a multiple of 8 values. */
export interface LayerRecord {
  readonly inputs: number;
  readonly outputs: number;
  /** f32 `[roundUp8(inputs), roundUp8(outputs)]` */
  readonly weight: number;
  readonly bias: number;
  /** In bytes from the start of a gradient, as `biasGradient`. */
  readonly weightGradient: number;
  readonly biasGradient: number;
  /** f32 `[sliceRows, roundUp8(outputs)]`, in bytes from the start of a lane's scratch. */
  readonly y: number;
  /** As `y`; used where the activation is not ReLU's or identity without dropout. */
  readonly derivative: number;
}

/** A network, its training set and its workspace. */
export interface NetworkRecord {
  readonly huberDelta: number;
  readonly layerCount: number;
  /** `layerCount` layer records, one after another. */
  readonly layers: number;
  readonly head: (typeof HEADS)[number];
  readonly activation: (typeof ACTIVATIONS)[number];
  /** f32 `[training rows, inputs]` */
  readonly x: number;
  /** u32 `[training rows]` or f32 `[training rows, targetsPerRow]`, as the head wants, readable 12 bytes past its end. */
  readonly targets: number;
  /** f32 `[outputs]`, 0 when all are 1. */
  readonly classWeights: number;
  /** Rows whose activations a lane holds at once, a multiple of 4. */
  readonly sliceRows: number;
  /** Parts of a batch that have a gradient of their own, at most. */
  readonly maxGroups: number;
  /** `scratchBytes` for every lane, zero at first. */
  readonly scratch: number;
  readonly scratchBytes: number;
  /** f32 `[sliceRows, roundUp8(inputs)]`, in bytes from the start of a lane's scratch, as `packed`. */
  readonly slice: number;
  /** Room for one packed operand: see `packedBytes`. */
  readonly packed: number;
  /** A row of zeros as long as the widest padded row. */
  readonly zeros: number;
  readonly parameters: number;
  /** Of all parameters with their padding, a multiple of 32. */
  readonly parameterBytes: number;
  /** `maxGroups` times `parameterBytes`, zero at first; the first becomes the batch's gradient. */
  readonly gradients: number;
  /** f64 `[maxGroups]` */
  readonly losses: number;
  /** `squaresBytes` */
  readonly squares: number;
}

/** The optimiser's rule, the terms it adds to the gradient, and where its state lies. */
export interface OptimizerRecord {
  /** Momentum, or Adam's beta1. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly l2: number;
  readonly proximalMu: number;
  /** 0 for no clipping. */
  readonly clipNorm: number;
  readonly rule: (typeof RULES)[number];
  /** Momentum's velocity or Adam's first moment. */
  readonly first: number;
  /** Adam's second moment. */
  readonly second: number;
  /** The proximal term's `w0`. */
  readonly origin: number;
  /** Added to every gradient; 0 for none. */
  readonly correction: number;
  /** A dropout record, or 0 for none. */
  readonly dropout: number;
}

/** How units are dropped. */
export interface DropoutRecord {
  /** Probability. */
  readonly dropout: number;
  readonly seed: number;
}

/** What all lanes do together. */
export interface JobRecord {
  readonly kind: (typeof JOBS)[number];
  readonly lanes: number;
  readonly sync: number;
  readonly network: number;
  readonly optimizer: number;
  /** u32 `[count]`: rows of the training set. */
  readonly order: number;
  readonly count: number;
  readonly batchSize: number;
  /** f32, one for each step of training. */
  readonly rates: number;
  /** Steps taken before this job. */
  readonly firstStep: number;
  /** Result of predict: f32 `[count, outputs]`. */
  readonly outputs: number;
}

export const LAYER_BYTES = 8 * 4;
export const NETWORK_BYTES = 8 + 18 * 4;
export const OPTIMIZER_BYTES = 7 * 8 + 6 * 4;
export const DROPOUT_BYTES = 3 * 4;
/** A job's first 8 bytes are its result, the mean loss, an f64. */
export const JOB_BYTES = 8 + 11 * 4;

/** Bytes of parameters that have one sum of squares. */
const BLOCK_BYTES = 1024;

/** The least multiple of 8 that is not below `width`: values in a padded row. */
export function roundUp8(width: number): number {
  return Math.ceil(width / 8) * 8;
}

const TILE_BYTES = 256 * 4 * 4; // a copied tile of the other operand, see gemm.ts

/**
 * Bytes that the largest packed operand of a layer takes: its weights, their transpose, or a slice of outputs, and a
 * tile behind it.
 */
export function packedBytes(inputs: number, outputs: number, sliceRows: number): number {
  return 4 * roundUp8(outputs) * Math.max(roundUp8(inputs), sliceRows) + TILE_BYTES;
}

/** Bytes of the sums of squares of a gradient's blocks. */
export function squaresBytes(parameterBytes: number): number {
  return Math.ceil(parameterBytes / BLOCK_BYTES) * 8;
}

/** Writes a layer record at byte `at`. */
export function writeLayer(memory: WebAssembly.Memory, at: number, layer: LayerRecord): void {
  const { inputs, outputs, weight, bias, weightGradient, biasGradient, y, derivative } = layer;
  writeWords(memory, at, [inputs, outputs, weight, bias, weightGradient, biasGradient, y, derivative]);
}

/** Writes a network record at byte `at`, a multiple of 8. */
export function writeNetwork(memory: WebAssembly.Memory, at: number, network: NetworkRecord): void {
  const { layerCount, layers, x, targets, classWeights, sliceRows, maxGroups } = network;
  const { scratch, scratchBytes, slice, packed, zeros } = network;
  const { parameters, parameterBytes, gradients, losses, squares } = network;
  const kinds = [HEADS.indexOf(network.head), ACTIVATIONS.indexOf(network.activation)];
  const data = [layerCount, layers, ...kinds, x, targets, classWeights, sliceRows, maxGroups];
  const workspace = [scratch, scratchBytes, slice, packed, zeros];
  const state = [parameters, parameterBytes, gradients, losses, squares];
  writeDoubles(memory, at, [network.huberDelta]);
  writeWords(memory, at + 8, data.concat(workspace, state));
}

/** Writes an optimiser record at byte `at`, a multiple of 8. */
export function writeOptimizer(memory: WebAssembly.Memory, at: number, optimizer: OptimizerRecord): void {
  const { beta1, beta2, epsilon, weightDecay, l2, proximalMu, clipNorm } = optimizer;
  const { rule, first, second, origin, correction, dropout } = optimizer;
  const doubles = [beta1, beta2, epsilon, weightDecay, l2, proximalMu, clipNorm];
  writeDoubles(memory, at, doubles);
  writeWords(memory, at + 8 * doubles.length, [
    RULES.indexOf(rule),
    first,
    second,
    origin,
    correction,
    dropout,
  ]);
}

/** Writes a dropout record at byte `at`: kept units are scaled by `1 / (1 - dropout)`. */
export function writeDropout(memory: WebAssembly.Memory, at: number, { dropout, seed }: DropoutRecord): void {
  new Float32Array(memory.buffer, at, 1).set([1 / (1 - dropout)]);
  writeWords(memory, at + 4, [Math.floor(dropout * 2 ** 32), seed]);
}

/** Writes a job record at byte `at`, a multiple of 8. */
export function writeJob(memory: WebAssembly.Memory, at: number, job: JobRecord): void {
  const { kind, lanes, sync, network, optimizer, order, count, batchSize, rates, firstStep, outputs } = job;
  writeDoubles(memory, at, [0]);
  const shared = [JOBS.indexOf(kind), lanes, sync, network, optimizer];
  writeWords(memory, at + 8, shared.concat([order, count, batchSize, rates, firstStep, outputs]));
}

function writeWords(memory: WebAssembly.Memory, at: number, words: readonly number[]): void {
  new Uint32Array(memory.buffer, at, words.length).set(words);
}

function writeDoubles(memory: WebAssembly.Memory, at: number, doubles: readonly number[]): void {
  new Float64Array(memory.buffer, at, doubles.length).set(doubles);
}
