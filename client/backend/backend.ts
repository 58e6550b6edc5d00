import type { ModelSpec } from "../../protocol/model.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { ColumnStatistics } from "../../protocol/statistics.ts";
import type { LocalTraining } from "../../protocol/tasks.ts";

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

/** What is predicted, one entry a row: class indices below `outputs`, or values `[rows, outputs]` row-major. */
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

/**
 * One model being trained on one training set, resident on the device: parameters, optimiser state,
 * activations. Parameters are the flat vector of `parameterLayout`.
 *
 * Losses are means over rows: softmax cross-entropy `-log p[class]`; squared error
 * `sum_o (y - t)^2 / outputs`. The gradient is the derivative of that mean over the batch's rows.
 */
export interface Trainer {
  /** Sets the parameters and zeroes the optimiser's state. */
  load(parameters: Float32Array<ArrayBuffer>): void;

  /**
   * One local epoch: one optimiser step for each `batchSize` rows of `order`, the last batch shorter.
   * Resolves when the device has done it.
   *
   * @param order row indices; a row may be absent or repeated; none gives a loss of 0
   * @returns mean over steps, weighted by batch rows, of each batch's loss before its step
   * @throws {AstroScaleError} `device_lost` when the device went away
   */
  epoch(order: Uint32Array<ArrayBuffer>): Promise<number>;

  /** Loss and gradient at the present parameters over `rows`, without a step. */
  gradient(rows: Uint32Array<ArrayBuffer>): Promise<LossGradient>;

  /** Outputs (logits or values) of every row of the training set: `[rows, outputs]`. */
  outputs(): Promise<Float32Array<ArrayBuffer>>;

  /** The present parameters, copied from the device. */
  parameters(): Promise<Float32Array<ArrayBuffer>>;

  dispose(): void;
}

/**
 * One place where tensors are computed. Work is enqueued in call order and returns at once; only what gives
 * a promise waits. Every implementation passes `test/conformance/backend.ts`, so callers never ask which
 * one they hold.
 *
 * Steps: sgd `w -= lr * g`; momentum `v = momentum * v + g; w -= lr * v`; adam
 * `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`
 * with `t` from 1 since `load`.
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
   * @throws {AstroScaleError} `shape_mismatch`; `too_large` when the device has no buffer of that size
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
   * A trainer for `set`, which must outlive it and stay as it is.
   *
   * @throws {AstroScaleError} `shape_mismatch`; `too_large` when the device has no buffer of that size
   */
  trainer(model: ModelSpec, training: LocalTraining, set: TrainingSet): Promise<Trainer>;

  /** Frees the device. The backend and everything made by it are unusable afterwards. */
  dispose(): void;
}
