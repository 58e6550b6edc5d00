import type { LocalTraining } from "../../protocol/local-training.ts";
import type { ModelSpec } from "../../protocol/model.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { ColumnStatistics } from "../../protocol/statistics.ts";

/** A row-major float32 matrix that lives on the backend. Its maker frees it. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  dispose(): void;
}

/**
 * How one feature is computed from columns: `x[r, f] = columns[plus][r] - columns[minus][r]`, or
 * `columns[plus][r]` when `minus` is `null`. NaN (missing) stays NaN.
 */
export interface FeatureTerm {
  readonly plus: number;
  readonly minus: number | null;
}

/** What is predicted, one entry a row: class indices below `outputs`, or values `[rows, targetsPerRow]` row-major. */
export type Targets =
  | { readonly kind: "class"; readonly classes: Uint32Array<ArrayBuffer> }
  | { readonly kind: "value"; readonly values: Float32Array<ArrayBuffer> };

/** What a trainer works on. */
export interface TrainingSet {
  readonly x: Matrix;
  readonly targets: Targets;
}

/** Mean loss over some rows, and its derivative by every parameter. */
export interface LossGradient {
  readonly loss: number;
  /** `[parameterCount]` */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** Where a round's local training starts, and what holds it to the federation. */
export interface LocalStart {
  /** `[parameterCount]`: the first parameters, and `w0` of the proximal term. */
  readonly parameters: Float32Array<ArrayBuffer>;
  /** `mu` of FedProx's `mu / 2 * |w - w0|^2`; 0 for none. */
  readonly proximalMu: number;
  /** SCAFFOLD's `c - c_i`, `[parameterCount]`, added to every gradient; `null` for none. */
  readonly correction: Float32Array<ArrayBuffer> | null;
  /** Seed of the dropout masks, an unsigned 32-bit integer. */
  readonly dropoutSeed: number;
}

/** What a trainer is made for. */
export interface TrainerRequest {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  readonly set: TrainingSet;
  /**
   * Rows of a batch whose activations are held at once, where memory is short; a longer batch is computed in
   * parts. Left out, the backend decides. The results are the same but for rounding.
   */
  readonly maxRowsAtOnce?: number;
}

/**
 * One model being trained on one training set, resident on the device: parameters, optimiser state,
 * activations. Parameters are the flat vector of `parameterLayout`.
 *
 * Losses are means over rows of the head's loss, see `Head`; penalties are not in them. A step of a batch, with
 * `g` the gradient of the batch's mean loss:
 *
 * 1. `g *= min(1, gradientClipNorm / |g|)`
 * 2. `g += l2 * w + proximalMu * (w - w0) + correction`
 * 3. the optimiser's step with the step's `rate`:
 *    - sgd `w -= rate * g`
 *    - momentum `v = momentum * v + g; w -= rate * v`
 *    - nesterov `v = momentum * v + g; w -= rate * (g + momentum * v)`
 *    - adam `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 *      w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)` with `t` from 1 since `load`
 *    - adamw `w -= rate * weightDecay * w`, then adam
 *
 * Dropout, in `epoch` alone: a hidden unit `u` of hidden layer `l` (from 0) is dropped for the batch's row `r`
 * (its place in the batch) in step `t` (from 0 since `load`) when word `u % 4` of
 * `philox([floor(u / 4), r, t, l], [dropoutSeed, STREAMS.dropout])` is below `floor(dropout * 2^32)`; the activation of one
 * that is kept is multiplied by `1 / (1 - dropout)`.
 *
 * Sources: FedProx, Li et al. 2020, arXiv:1812.06127; SCAFFOLD, Karimireddy et al. 2020, arXiv:1910.06378;
 * Nesterov's momentum as in Sutskever et al. 2013; Adam, Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; AdamW, Loshchilov
 * and Hutter 2019, arXiv:1711.05101; clipping, Pascanu et al. 2013, arXiv:1211.5063; dropout, Srivastava et al. 2014.
 */
export interface Trainer {
  /** Sets the parameters, zeroes the optimiser's state and counts steps from the beginning. */
  load(start: LocalStart): void;

  /**
   * One local epoch: one optimiser step for each `batchSize` rows of `order`, the last batch shorter.
   * Resolves when the device has done it.
   *
   * @param order row indices; a row may be absent or repeated; none gives a loss of 0
   * @param rates learning rate of every step, `[ceil(order.length / batchSize)]`
   * @returns mean over steps, weighted by batch rows, of each batch's loss before its step
   * @throws {AstroScaleError} `device_lost` when the device went away; `out_of_memory`; `shape_mismatch` when
   * there are not as many rates as steps or a row is not there
   */
  epoch(order: Uint32Array<ArrayBuffer>, rates: Float32Array<ArrayBuffer>): Promise<number>;

  /** Loss and its gradient `g` at the present parameters over `rows`, without a step, dropout or clipping. */
  gradient(rows: Uint32Array<ArrayBuffer>): Promise<LossGradient>;

  /** Outputs (as the head has them) of every row of the training set: `[rows, outputs]`. */
  outputs(): Promise<Float32Array<ArrayBuffer>>;

  /** The present parameters, copied from the device. */
  parameters(): Promise<Float32Array<ArrayBuffer>>;

  dispose(): void;
}

/**
 * One place where tensors are computed. Work is enqueued in call order and returns at once; only what gives
 * a promise waits. Every implementation passes `test/conformance/backend.ts`, so callers never ask which
 * one they hold.
 */
export interface Backend {
  readonly name: BackendName;
  /** The adapter's or engine's description, for people. */
  readonly device: string;
  /** Resolves with the reason when the device is gone for a cause other than `dispose`. */
  readonly lost: Promise<string>;

  /**
   * A matrix of the caller's values, copied in.
   *
   * @param values row-major `[rows, cols]`
   * @throws {AstroScaleError} `shape_mismatch`; `too_large` when the device has no buffer of that size;
   * `out_of_memory`
   */
  matrix(values: Float32Array<ArrayBuffer>, rows: number, cols: number): Matrix;

  /**
   * Features of column data: planar columns in, row-major `[rows, terms.length]` out.
   *
   * @param columns equal lengths; may be views of a larger buffer (Arrow)
   * @throws {AstroScaleError} as `matrix`
   */
  encodeFeatures(columns: readonly Float32Array<ArrayBuffer>[], terms: readonly FeatureTerm[]): Matrix;

  /**
   * Statistics of every column, NaN-aware; relative error of M2 at most 1e-6 also where the mean is 1e6
   * standard deviations from 0 (shifted sums per chunk of rows, merged in float64).
   */
  moments(x: Matrix): Promise<ColumnStatistics[]>;

  /** In place: `x[r,c] = isNaN(x[r,c]) ? fill[c] : x[r,c]`. @param fill `[cols]` */
  impute(x: Matrix, fill: Float32Array<ArrayBuffer>): void;

  /** In place: `x[r,c] = (x[r,c] - mean[c]) * invStd[c]`. @param mean `[cols]` @param invStd `[cols]` */
  standardise(x: Matrix, mean: Float32Array<ArrayBuffer>, invStd: Float32Array<ArrayBuffer>): void;

  /** The matrix's values, row-major, after all earlier work. */
  read(x: Matrix): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Compiles what a trainer of such a model needs, so that it is there when the data are.
   *
   * @throws {AstroScaleError} `device_lost`; `internal` when a kernel does not compile
   */
  prepare(model: ModelSpec, training: LocalTraining): Promise<void>;

  /**
   * A trainer for `set`, which must outlive it and stay as it is. Its parameters are 0 until `load`.
   *
   * @throws {AstroScaleError} `shape_mismatch`; `too_large` when the device has no buffer of a needed size;
   * `out_of_memory`; `device_lost`
   */
  trainer(request: TrainerRequest): Promise<Trainer>;

  /** Frees the device. The backend and everything made by it are unusable afterwards. */
  dispose(): void;
}
