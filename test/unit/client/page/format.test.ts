import { describe, expect, test } from "vitest";
import {
  explicitlySigned,
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatPoints,
  formatRate,
  UNKNOWN,
} from "../../../../client/page/format.ts";
import { metricsOf } from "../../../../client/page/score.ts";

/** Units follow a narrow no-break space, so that a number never parts from its unit. */
const s = "\u202f";

describe("numbers for people", () => {
  test.each([
    [0, "0"],
    [12_345, "12,345"],
    [9_999_999, "9,999,999"],
    [12_345_678, `12.3${s}M`],
    [12_345_678_901, `12.3${s}G`],
  ])("a count of %d reads %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  test.each([
    [0, `0${s}B`],
    [999, `999${s}B`],
    [1000, `1.00${s}kB`],
    [5388, `5.39${s}kB`],
    [999_499, `999${s}kB`],
    [999_500, `1.00${s}MB`],
    [1.5e15, `1,500${s}TB`],
  ])("%d bytes read %s, never 1000 of a unit that has a larger one", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.each([
    [8.24, "8.24/s"],
    [12, "12/s"],
    [940.6, "941/s"],
    [999.7, "1,000/s"],
    [48_231.7, "48,200/s"],
    [0.123, "0.12/s"],
    [null, UNKNOWN],
  ])("a rate of %s reads %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });

  test.each([
    [0.84, `0.84${s}s`],
    [9.996, `10.0${s}s`],
    [59.96, `1${s}min 00${s}s`],
    [185, `3${s}min 05${s}s`],
    [3599.7, `1${s}h 00${s}min`],
    [7620, `2${s}h 07${s}min`],
    [null, UNKNOWN],
  ])("%s seconds read %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  test.each([
    [0.10324, "0.1032"],
    [0, "0.0000"],
    [-0.5, "\u22120.5000"],
    [4.12e-6, "4.1e\u22126"],
    [12_345.6, "12,346"],
    [Number.NaN, UNKNOWN],
  ])("a loss of %d reads %s", (loss, text) => {
    expect(formatLoss(loss)).toBe(text);
  });

  test("shares read in per cent and their differences in points, with a true minus sign", () => {
    expect(formatPercent(0.967)).toBe(`96.7${s}%`);
    expect(formatPercent(null)).toBe(UNKNOWN);
    expect(formatPoints(0.963 - 0.97)).toBe(`\u22120.7${s}points`);
    expect(formatPoints(0.004)).toBe(`+0.4${s}points`);
    expect(formatPoints(0.0004)).toBe(`0.0${s}points`);
    expect(explicitlySigned(-0.00001, 4)).toBe("0.0000");
  });
});

describe("metrics of a task", () => {
  test("a class label is judged by accuracy first, a value by its root mean square error in its unit", () => {
    const classes = metricsOf({ kind: "class", column: "c", classes: ["a", "b"] });
    const values = metricsOf({ kind: "value", column: "z", unit: "mag" });
    expect(classes.map(({ key }) => key)).toEqual(["accuracy", "macroF1"]);
    expect(values.map(({ key }) => key)).toEqual(["rmse", "mae", "r2"]);
    expect(values[0].format(0.0283)).toBe("0.0283 mag");
    expect(values[0].higherIsBetter).toBe(false);
  });

  test("a metric finds nothing in a score of the other kind", () => {
    const [accuracy] = metricsOf({ kind: "class", column: "c", classes: ["a", "b"] });
    expect(accuracy.of({ kind: "value", loss: 1, rmse: 1, mae: 1, r2: 0 })).toBeNull();
    expect(accuracy.of(null)).toBeNull();
  });
});
