// Records in memory, as `wasm/records.ts` writes them. Addresses are bytes from the start of memory unless said.

export const enum Head {
  SoftmaxCrossEntropy,
  MeanSquaredError,
  Huber,
  Gaussian,
}

export const enum Activation {
  Relu,
  Gelu,
  Tanh,
  Identity,
}

export const enum Rule {
  Sgd,
  Momentum,
  Nesterov,
  Adam,
}

/** One dense layer. */
@unmanaged
export class Layer {
  inputs: u32;
  outputs: u32;
  /** padded `[inputs, outputs]` */
  weight: usize;
  bias: usize;
  /** in bytes from the start of a gradient */
  weightGradient: usize;
  biasGradient: usize;
  /** padded `[slice rows, outputs]`, in bytes from a lane's scratch: outputs, on the way back their derivatives */
  y: usize;
  /** as `y`: the activation's derivative, where it is kept */
  derivative: usize;
}

/** A network, its training set and its workspace. */
@unmanaged
export class Network {
  huberDelta: f64;
  layerCount: u32;
  layers: usize;
  head: Head;
  activation: Activation;
  /** f32 `[training rows, inputs]` */
  x: usize;
  /** u32 classes, or f32 `[training rows, targets per row]` */
  targets: usize;
  /** f32 `[outputs]`, 0 when all are 1 */
  classWeights: usize;
  /** rows whose activations a lane holds at once, a multiple of 4 */
  sliceRows: u32;
  /** gradients that there is room for */
  maxGroups: u32;
  /** what one lane works in; the next lane's follows */
  scratch: usize;
  scratchBytes: usize;
  /** padded `[slice rows, inputs]`, in bytes from a lane's scratch */
  slice: usize;
  /** in bytes from a lane's scratch */
  packed: usize;
  /** a row of zeros, as long as the widest padded row */
  zeros: usize;
  parameters: usize;
  /** of all parameters with their padding, a multiple of 32 */
  parameterBytes: usize;
  /** `maxGroups` times parameters' bytes; the first becomes the batch's gradient */
  gradients: usize;
  /** f64 `[maxGroups]`: sums of losses */
  losses: usize;
  /** f64, one for each block of parameters: sums of squares of the gradient */
  squares: usize;
}

/** How units are dropped; nowhere a record means that none is. */
@unmanaged
export class Dropout {
  /** what a kept unit is multiplied by */
  scale: f32;
  /** a unit whose word is below is dropped */
  threshold: u32;
  seed: u32;
}

/** The optimiser's rule, the terms it adds to the gradient, and where its state lies. */
@unmanaged
export class Optimizer {
  /** momentum, or Adam's beta1 */
  beta1: f64;
  beta2: f64;
  epsilon: f64;
  weightDecay: f64;
  l2: f64;
  proximalMu: f64;
  /** 0 for none */
  clipNorm: f64;
  rule: Rule;
  /** Momentum's velocity or Adam's first moment */
  first: usize;
  /** Adam's second moment */
  second: usize;
  /** the proximal term's `w0` */
  origin: usize;
  /** added to every gradient; 0 for none */
  correction: usize;
  dropout: Dropout;
}

export const enum JobKind {
  Train,
  Gradient,
  Predict,
}

/** What all lanes do together. */
@unmanaged
export class Job {
  /** result: the mean loss */
  loss: f64;
  kind: JobKind;
  lanes: u32;
  /** where lanes meet */
  sync: usize;
  network: Network;
  /** of training */
  optimizer: Optimizer;
  /** u32 `[count]`: rows of the training set */
  order: usize;
  count: u32;
  batchSize: u32;
  /** f32, one for each step */
  rates: usize;
  /** steps taken before this job */
  firstStep: u32;
  /** result of predict: f32 `[count, outputs]` */
  outputs: usize;
}

/** Layer `l`, from 0. */
// @ts-ignore: decorator
@inline
export function layerAt(network: Network, l: u32): Layer {
  return changetype<Layer>(network.layers + <usize>l * offsetof<Layer>());
}

/** Bytes from a row of a padded matrix to the next. */
// @ts-ignore: decorator
@inline
export function rowBytes(width: u32): usize {
  return <usize>((width + 7) & ~7) << 2;
}
