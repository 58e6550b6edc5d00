import { AstroScaleError } from "../../protocol/errors.ts";
import type { LocalTraining } from "../../protocol/local-training.ts";
import type { Scorer } from "./scorer.ts";

/** How one class fared, in rows. */
export interface ClassCounts {
  /** Whose target it is. */
  readonly actual: number;
  /** Predicted to be it. */
  readonly predicted: number;
  /** Both. */
  readonly hits: number;
}

/** A scorer that also tells of each class. */
export interface ClassScorer extends Scorer {
  /** `[classes]`, of the rows so far. */
  counts(): ClassCounts[];
}

/**
 * Scores of a classifier over `classes` classes:
 *
 * - `loss = mean_r c_t (log sum_k exp(z_rk) - z_rt)`, the softmax cross-entropy in nats of the target `t` of row `r`,
 *   times the class's weight `c_t`, as nodes minimise it; the sum is divided by the rows, not by their weights;
 * - `accuracy`, the fraction of rows whose largest output is the target's; the first of equal outputs counts;
 * - `macroF1 = mean_k 2 TP_k / (2 TP_k + FP_k + FN_k)` over all classes of the task. A class that is neither
 *   target nor prediction of any row counts as 0, as in scikit-learn's
 *   `f1_score(labels=range(classes), average="macro", zero_division=0)`.
 *
 * Weights do not enter accuracy and F1. `add` throws `AstroScaleError` `invalid_request` when a target is no class index.
 *
 * @param classWeights `[classes]`, or `null` for 1
 */
export function classScorer(
  classes: number,
  { classWeights }: Pick<LocalTraining, "classWeights">,
): ClassScorer {
  const hits = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const actual = new Float64Array(classes);
  let rows = 0;
  let lossSum = 0;
  return {
    add(outputs, target) {
      if (!Number.isInteger(target) || target < 0 || target >= classes) {
        throw new AstroScaleError(
          "invalid_request",
          `target of row ${rows} is ${target}, the task has ${classes} classes`,
        );
      }
      const guess = firstLargest(outputs);
      const weight = classWeights?.[target] ?? 1;
      lossSum += weight * (logSumExp(outputs) - (outputs[target] ?? Number.NaN));
      increment(predicted, guess);
      increment(actual, target);
      if (guess === target) increment(hits, guess);
      rows += 1;
    },
    score() {
      const f1 = hits.map((hit, k) => {
        const found = (predicted[k] ?? 0) + (actual[k] ?? 0);
        return found === 0 ? 0 : (2 * hit) / found;
      });
      return {
        kind: "class",
        loss: lossSum / rows,
        accuracy: total(hits) / rows,
        macroF1: total(f1) / classes,
      };
    },
    counts: () =>
      Array.from(hits, (hit, k) => ({ actual: actual[k] ?? 0, predicted: predicted[k] ?? 0, hits: hit })),
  };
}

function increment(counts: Float64Array, k: number): void {
  counts[k] = (counts[k] ?? 0) + 1;
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function firstLargest(values: Float32Array): number {
  return values.reduce((best, value, k) => (value > (values[best] ?? 0) ? k : best), 0);
}

/** `log sum_k exp(z_k)`, shifted by the largest so that nothing overflows. */
function logSumExp(z: Float32Array): number {
  const largest = z[firstLargest(z)] ?? 0;
  let sum = 0;
  for (const value of z) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
