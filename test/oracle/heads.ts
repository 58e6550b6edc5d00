/** What the outputs mean, by name. */
export type HeadName = "softmax-cross-entropy" | "mean-squared-error" | "huber" | "gaussian";

/** What the outputs mean, and what its loss needs to know. */
export interface Head {
  readonly head: HeadName;
  /** `[outputs]`, factor of each class's loss; 1 where left out. */
  readonly classWeights?: ArrayLike<number> | null;
  /** 1 where left out. */
  readonly huberDelta?: number;
}

/** Loss of one row and its derivative by the outputs. */
export interface RowLoss {
  readonly loss: number;
  readonly delta: Float64Array;
}

/** A Gaussian's log-variance counts as within ±14. */
export const LARGEST_LOG_VARIANCE = 14;

/** Target values of one row. */
export function targetWidth(head: HeadName, outputs: number): number {
  if (head === "softmax-cross-entropy") return 1;
  return head === "gaussian" ? outputs / 2 : outputs;
}

/** `-c_k log softmax(z)_k`, derivative `c_k (softmax(z) - onehot(k))`. */
function crossEntropy(z: Float64Array, k: number, weight: number): RowLoss {
  const largest = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  const delta = z.map((value, o) => weight * (Math.exp(value - logSum) - (o === k ? 1 : 0)));
  return { loss: weight * (logSum - z[k]), delta };
}

/** `sum_o (y - t)^2 / outputs`, derivative `2 (y - t) / outputs`. */
function squaredError(y: Float64Array, target: Float64Array): RowLoss {
  const delta = y.map((value, o) => (2 * (value - target[o])) / y.length);
  return { loss: y.reduce((sum, value, o) => sum + (value - target[o]) ** 2, 0) / y.length, delta };
}

/** Mean of `|e| <= d ? e^2 / 2 : d (|e| - d / 2)`, derivative `e` held within `±d`, over outputs. */
function huber(y: Float64Array, target: Float64Array, d: number): RowLoss {
  const errors = y.map((value, o) => value - target[o]);
  const losses = errors.map((e) => (Math.abs(e) <= d ? e ** 2 / 2 : d * (Math.abs(e) - d / 2)));
  return {
    loss: losses.reduce((a, b) => a + b, 0) / y.length,
    delta: errors.map((e) => Math.max(-d, Math.min(d, e)) / y.length),
  };
}

/**
 * Mean of `(s + (m - t)^2 exp(-s)) / 2` with `s` held within ±14; derivatives `(m - t) exp(-s)` and
 * `(1 - (m - t)^2 exp(-s)) / 2`, both at the held `s` and both over targets.
 */
function gaussian(y: Float64Array, target: Float64Array): RowLoss {
  const count = target.length;
  const delta = new Float64Array(2 * count);
  let loss = 0;
  for (let o = 0; o < count; o++) {
    // Math.min and Math.max give NaN for NaN.
    const s = Math.max(-LARGEST_LOG_VARIANCE, Math.min(LARGEST_LOG_VARIANCE, y[count + o]));
    const error = y[o] - target[o];
    const precision = Math.exp(-s);
    loss += (s + error ** 2 * precision) / 2;
    delta[o] = (error * precision) / count;
    delta[count + o] = (1 - error ** 2 * precision) / 2 / count;
  }
  return { loss: loss / count, delta };
}

/** Loss of one row with outputs `y`. @param target a class, or the row's values */
export function rowLoss(
  { head, classWeights, huberDelta }: Head,
  y: Float64Array,
  target: Float64Array,
): RowLoss {
  switch (head) {
    case "softmax-cross-entropy":
      return crossEntropy(y, target[0], classWeights ? classWeights[target[0]] : 1);
    case "mean-squared-error":
      return squaredError(y, target);
    case "huber":
      return huber(y, target, huberDelta ?? 1);
    case "gaussian":
      return gaussian(y, target);
  }
}
