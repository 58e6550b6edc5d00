import type { Label, Score } from "../../protocol/tasks.ts";
import { explicitlySigned, formatLoss, formatPercent, formatPoints, UNKNOWN } from "./format.ts";

/** One number of a score: where it lies, what it is called, how it is shown. */
export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly higherIsBetter: boolean;
  /** The number of this metric in a score, `null` where the score has none or is of another kind. */
  readonly of: (score: Score | null) => number | null;
  readonly format: (value: number | null) => string;
  /** A difference with its sign and unit. */
  readonly formatDifference: (difference: number) => string;
}

const accuracy: Metric = {
  key: "accuracy",
  label: "Accuracy",
  higherIsBetter: true,
  of: (score) => (score?.kind === "class" ? score.accuracy : null),
  format: formatPercent,
  formatDifference: formatPoints,
};

const macroF1: Metric = {
  ...accuracy,
  key: "macroF1",
  label: "Macro F1",
  of: (score) => (score?.kind === "class" ? score.macroF1 : null),
};

function error(key: "rmse" | "mae", label: string, unit: string | null): Metric {
  const suffix = unit === null ? "" : ` ${unit}`;
  return {
    key,
    label,
    higherIsBetter: false,
    of: (score) => (score?.kind === "value" ? score[key] : null),
    format: (value) => (value === null ? UNKNOWN : formatLoss(value) + suffix),
    formatDifference: (difference) => explicitlySigned(difference, 4) + suffix,
  };
}

const r2: Metric = {
  key: "r2",
  label: "R²",
  higherIsBetter: true,
  of: (score) => (score?.kind === "value" ? score.r2 : null),
  format: formatLoss,
  formatDifference: (difference) => explicitlySigned(difference, 4),
};

/** What a task is judged by, the most telling first: accuracy and macro F1, or RMSE, MAE and R². */
export function metricsOf(label: Label): readonly [Metric, ...Metric[]] {
  if (label.kind === "class") return [accuracy, macroF1];
  return [error("rmse", "RMSE", label.unit), error("mae", "MAE", label.unit), r2];
}
