import type { Head } from "../../protocol/model.ts";

/** `Head` bounds the log-variance, so that `exp` neither overflows nor vanishes. */
const MAX_LOG_VARIANCE = 14;

/**
 * A regression head's loss of one row with one target `t`, as `Head` defines it, in float64:
 *
 * - `mean-squared-error` `e^2`, `e = y - t`
 * - `huber` `|e| <= delta ? e^2 / 2 : delta (|e| - delta / 2)`
 * - `gaussian` of outputs `m, s`: `(s + (m - t)^2 exp(-s)) / 2`, `s` clamped to `[-14, 14]`
 *
 * @param huberDelta `delta`
 */
export function valueLoss(head: Head, huberDelta: number): (outputs: Float32Array, target: number) => number {
  switch (head) {
    case "mean-squared-error":
      return ([output = Number.NaN], target) => (output - target) ** 2;
    case "huber":
      return ([output = Number.NaN], target) => {
        const error = Math.abs(output - target);
        return error <= huberDelta ? error ** 2 / 2 : huberDelta * (error - huberDelta / 2);
      };
    case "gaussian":
      return ([mean = Number.NaN, output = Number.NaN], target) => {
        const s = Math.min(Math.max(output, -MAX_LOG_VARIANCE), MAX_LOG_VARIANCE);
        return (s + (mean - target) ** 2 * Math.exp(-s)) / 2;
      };
    case "softmax-cross-entropy":
      throw new Error("unreachable: a task with a value label has a regression head");
  }
}
