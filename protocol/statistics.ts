import { AstroScaleError } from "./errors.ts";
import {
  decodeSafeTensors,
  encodeSafeTensors,
  type SafeTensor,
  type SafeTensorsFile,
} from "./safetensors.ts";

/**
 * Mergeable statistics of one feature over some rows; mean and M2 are over present values only.
 * Travels as float64 tensors, never as JSON: `min` of no rows is infinite.
 */
export interface ColumnStatistics {
  /** Present values. */
  readonly count: number;
  /** Missing values (NaN). */
  readonly missing: number;
  readonly mean: number;
  /** `sum (x - mean)^2`. */
  readonly m2: number;
  readonly min: number;
  readonly max: number;
}

/** Statistics of no rows: the identity of `mergeStatistics`. */
export const NO_STATISTICS: ColumnStatistics = {
  count: 0,
  missing: 0,
  mean: 0,
  m2: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
};

/**
 * Statistics of the rows of `a` and `b` together, in float64:
 * `d = b.mean - a.mean; n = a.n + b.n; mean = a.mean + d * b.n / n; m2 = a.m2 + b.m2 + d^2 * a.n * b.n / n`.
 *
 * Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", eq. 2.1.
 */
export function mergeStatistics(a: ColumnStatistics, b: ColumnStatistics): ColumnStatistics {
  const missing = a.missing + b.missing;
  if (a.count === 0) return { ...b, missing };
  if (b.count === 0) return { ...a, missing };
  const count = a.count + b.count;
  const difference = b.mean - a.mean;
  return {
    count,
    missing,
    mean: a.mean + (difference * b.count) / count,
    m2: a.m2 + b.m2 + (difference * difference * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

const FIELDS = ["count", "missing", "mean", "m2", "min", "max"] as const;

/**
 * Statistics of `columns.length` features as a safetensors file: six F64 tensors `[features]` named
 * `statistics.count`, `.missing`, `.mean`, `.m2`, `.min`, `.max`.
 */
export function encodeStatistics(
  columns: readonly ColumnStatistics[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, SafeTensor>(
    FIELDS.map((field) => [
      `statistics.${field}`,
      { dtype: "F64", shape: [columns.length], values: Float64Array.from(columns, (c) => c[field]) },
    ]),
  );
  return encodeSafeTensors({ tensors, metadata });
}

/**
 * Statistics from decoded tensors.
 *
 * @param features how many features the task has
 * @throws {AstroScaleError} `shape_mismatch` when a tensor is missing, extra or of another shape; `non_finite`
 * when a feature with values lacks a finite mean, m2, min or max; `invalid_request` when counts are not whole
 * and non-negative, m2 is negative, or the mean lies outside min and max
 */
export function readStatistics(file: SafeTensorsFile, features: number): ColumnStatistics[] {
  if (file.tensors.size !== FIELDS.length) {
    throw new AstroScaleError("shape_mismatch", `${file.tensors.size} tensors, wanted ${FIELDS.length}`);
  }
  const column = (field: (typeof FIELDS)[number]): Float64Array => {
    const tensor = file.tensors.get(`statistics.${field}`);
    if (tensor?.dtype !== "F64" || tensor.shape.join() !== String(features)) {
      const found = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "missing";
      throw new AstroScaleError(
        "shape_mismatch",
        `tensor "statistics.${field}" is ${found}, wanted F64 [${features}]`,
      );
    }
    return tensor.values;
  };
  const values = Object.fromEntries(FIELDS.map((field) => [field, column(field)]));
  return Array.from({ length: features }, (_, f) => {
    const at = (field: (typeof FIELDS)[number]): number => values[field]?.[f] ?? Number.NaN;
    return checked(f, {
      count: at("count"),
      missing: at("missing"),
      mean: at("mean"),
      m2: at("m2"),
      min: at("min"),
      max: at("max"),
    });
  });
}

function checked(feature: number, statistics: ColumnStatistics): ColumnStatistics {
  const { count, missing, mean, m2, min, max } = statistics;
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(missing) || count < 0 || missing < 0) {
    throw new AstroScaleError(
      "invalid_request",
      `feature ${feature}: count ${count} and missing ${missing} must be whole numbers from 0`,
    );
  }
  if (count === 0) return { ...NO_STATISTICS, missing };
  if (![mean, m2, min, max].every(Number.isFinite)) {
    throw new AstroScaleError("non_finite", `feature ${feature}: mean, m2, min and max must be finite`);
  }
  // The mean of equal float32 values may round past them by an ulp of float32.
  const slack = 2 ** -23 * Math.max(Math.abs(min), Math.abs(max));
  if (m2 < 0 || mean < min - slack || mean > max + slack) {
    throw new AstroScaleError(
      "invalid_request",
      `feature ${feature}: wanted m2 >= 0 and min <= mean <= max, found m2 ${m2}, ${min}, ${mean}, ${max}`,
    );
  }
  return statistics;
}

/**
 * Statistics of a safetensors file with `features` features.
 *
 * @throws {AstroScaleError} as `decodeSafeTensors` and `readStatistics`
 */
export function decodeStatistics(bytes: Uint8Array, features: number): ColumnStatistics[] {
  return readStatistics(decodeSafeTensors(bytes), features);
}
