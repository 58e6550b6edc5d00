import { describe, expect, test } from "vitest";
import { fitPreprocessing } from "../../../protocol/preprocessing.ts";
import { randomStream } from "../../../protocol/random.ts";
import { type ColumnStatistics, mergeStatistics, NO_STATISTICS } from "../../../protocol/statistics.ts";
import { firstMismatch } from "../../oracle/close.ts";

/** A row as statistics. */
function rowStatistics(value: number): ColumnStatistics {
  if (Number.isNaN(value)) return { ...NO_STATISTICS, missing: 1 };
  return { count: 1, missing: 0, mean: value, m2: 0, min: value, max: value };
}

function fitOne(values: readonly number[]) {
  const { fill, mean, invStd } = fitPreprocessing([
    values.map(rowStatistics).reduce(mergeStatistics, NO_STATISTICS),
  ]);
  return { fill: fill[0] ?? Number.NaN, mean: mean[0] ?? Number.NaN, invStd: invStd[0] ?? Number.NaN };
}

/** Impute every missing row by the mean, then standardise all rows by their own mean and deviation. */
function imputedThenStandardised(values: readonly number[]): number[] {
  const present = values.filter((value) => !Number.isNaN(value));
  const fill = present.reduce((sum, value) => sum + value, 0) / present.length;
  const whole = values.map((value) => (Number.isNaN(value) ? fill : value));
  const mean = whole.reduce((sum, value) => sum + value, 0) / whole.length;
  const variance = whole.reduce((sum, value) => sum + (value - mean) ** 2, 0) / whole.length;
  return whole.map((value) => (value - mean) / Math.sqrt(variance));
}

describe("fitted preprocessing", () => {
  test("gives what imputing and then standardising all rows at one place gives", () => {
    const next = randomStream(11, 0);
    for (let trial = 0; trial < 50; trial++) {
      const values = Array.from({ length: 5 + (next() % 200) }, (_, i) =>
        i > 1 && next() % 4 === 0 ? Number.NaN : 15 + (8 * next()) / 2 ** 32,
      );
      const { fill, mean, invStd } = fitOne(values);
      const applied = values.map((value) => ((Number.isNaN(value) ? fill : value) - mean) * invStd);
      // 200 float64 sums of values near 20: 200 * 2^-53 * 20, over a deviation near 2.
      expect(
        firstMismatch(applied, imputedThenStandardised(values), { rtol: 1e-12, atol: 1e-12 }),
      ).toBeNull();
    }
  });

  test("counts imputed rows: they make the deviation smaller", () => {
    // Present 1 and 3, mean 2, m2 2; over 8 rows the variance is 2 / 8.
    const values = [1, 3, ...Array.from({ length: 6 }, () => Number.NaN)];
    expect(fitOne(values)).toEqual({ fill: 2, mean: 2, invStd: 2 });
  });

  test("keeps scale 1 for a constant feature, so that it becomes 0", () => {
    expect(fitOne([19.5, 19.5, Number.NaN])).toEqual({ fill: 19.5, mean: 19.5, invStd: 1 });
  });

  test("makes a feature without any value 0", () => {
    expect(fitOne([Number.NaN, Number.NaN])).toEqual({ fill: 0, mean: 0, invStd: 1 });
    expect(fitOne([])).toEqual({ fill: 0, mean: 0, invStd: 1 });
  });

  test("keeps the order of features", () => {
    expect(fitPreprocessing([rowStatistics(1), rowStatistics(2)]).mean).toEqual([1, 2]);
  });
});
