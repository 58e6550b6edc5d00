import { describe, expect, test } from "vitest";
import { randomStream } from "../../../protocol/random.ts";
import { decodeSafeTensors, encodeSafeTensors } from "../../../protocol/safetensors.ts";
import {
  type ColumnStatistics,
  decodeStatistics,
  encodeStatistics,
  mergeStatistics,
  NO_STATISTICS,
  readStatistics,
} from "../../../protocol/statistics.ts";
import { firstMismatch } from "../../oracle/close.ts";

/** The definition, in two passes over float64. */
function twoPass(values: readonly number[]): ColumnStatistics {
  const present = values.filter((value) => !Number.isNaN(value));
  const count = present.length;
  const mean = present.reduce((sum, value) => sum + value, 0) / Math.max(count, 1);
  return {
    count,
    missing: values.length - count,
    mean,
    m2: present.reduce((sum, value) => sum + (value - mean) ** 2, 0),
    min: present.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    max: present.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  };
}

const asList = (s: ColumnStatistics): number[] => [s.count, s.missing, s.mean, s.m2, s.min, s.max];

describe("merged statistics", () => {
  test.each([
    { name: "magnitudes", offset: 19, scale: 1.5 },
    { name: "dates", offset: 54_922, scale: 900 },
    { name: "small numbers far from zero", offset: 1e4, scale: 1 },
    { name: "numbers around zero", offset: 0, scale: 1e-3 },
  ])("of any split of $name are those of all rows", ({ offset, scale }) => {
    const next = randomStream(5, 0);
    const uniform = (): number => next() / 2 ** 32;
    // A mean of 400 float64 values is off by up to 400 * 2^-53 * offset, which deviations of size scale feel.
    const rtol = Math.max(1e-12, (400 * 2 ** -53 * offset) / scale);
    for (let trial = 0; trial < 40; trial++) {
      const values = Array.from({ length: 1 + (next() % 400) }, () =>
        uniform() < 0.1 ? Number.NaN : offset + scale * (uniform() - 0.5),
      );
      let merged = NO_STATISTICS;
      for (let at = 0; at < values.length; ) {
        const end = at + (next() % 60);
        merged = mergeStatistics(merged, twoPass(values.slice(at, end)));
        at = end;
      }
      expect(firstMismatch(asList(merged), asList(twoPass(values)), { rtol, atol: rtol * scale })).toBeNull();
    }
  });

  test("do not depend on which comes first", () => {
    const a = twoPass([1, 2, Number.NaN]);
    const b = twoPass([10, 20, 30]);
    expect(
      firstMismatch(asList(mergeStatistics(a, b)), asList(mergeStatistics(b, a)), { rtol: 1e-15, atol: 0 }),
    ).toBeNull();
  });

  test("with no rows are the others", () => {
    const some = twoPass([1, 5]);
    expect(mergeStatistics(NO_STATISTICS, some)).toEqual(some);
    expect(mergeStatistics(some, NO_STATISTICS)).toEqual(some);
    expect(mergeStatistics(NO_STATISTICS, NO_STATISTICS)).toEqual(NO_STATISTICS);
  });

  test("count missing values of shards without any value", () => {
    const missing = { ...NO_STATISTICS, missing: 7 };
    expect(mergeStatistics(missing, missing)).toEqual({ ...NO_STATISTICS, missing: 14 });
    expect(mergeStatistics(missing, twoPass([1, 5]))).toEqual({ ...twoPass([1, 5]), missing: 7 });
  });
});

describe("encoded statistics", () => {
  const columns = [twoPass([1, 2, 3]), { ...NO_STATISTICS, missing: 4 }, twoPass([0.1, Number.NaN])];

  test("are read as they were written, infinities of empty features included", () => {
    expect(decodeStatistics(encodeStatistics(columns, { round: "0" }), 3)).toEqual(columns);
  });

  test("may be of no features", () => {
    expect(decodeStatistics(encodeStatistics([], {}), 0)).toEqual([]);
  });

  test.each([2, 4])("are refused as shape_mismatch for a task of %i features", (features) => {
    expect(() => decodeStatistics(encodeStatistics(columns, {}), features)).toThrow(
      expect.objectContaining({ code: "shape_mismatch" }),
    );
  });

  test("are refused as shape_mismatch with a tensor less, more, or of float32", () => {
    const { tensors, metadata } = decodeSafeTensors(encodeStatistics(columns, {}));
    const less = new Map([...tensors].slice(1));
    const more = new Map([
      ...tensors,
      ["extra", { dtype: "F64", shape: [0], values: new Float64Array(0) }] as const,
    ]);
    const float32 = new Map([
      ...tensors,
      ["statistics.mean", { dtype: "F32", shape: [3], values: new Float32Array(3) }] as const,
    ]);
    for (const changed of [less, more, float32]) {
      const bytes = encodeSafeTensors({ tensors: changed, metadata });
      expect(() => decodeStatistics(bytes, 3)).toThrow(expect.objectContaining({ code: "shape_mismatch" }));
    }
  });
});

describe("a feature's statistics", () => {
  const sound = twoPass([1, 2, 6]);
  const readOne = (change: Partial<ColumnStatistics>) => {
    const bytes = encodeStatistics([sound, { ...sound, ...change }], {});
    return readStatistics(decodeSafeTensors(bytes), 2)[1];
  };

  test.each<[string, Partial<ColumnStatistics>, string]>([
    ["a fractional count", { count: 2.5 }, "invalid_request"],
    ["a negative count", { count: -1 }, "invalid_request"],
    ["a count that is NaN", { count: Number.NaN }, "invalid_request"],
    ["an infinite count", { count: Number.POSITIVE_INFINITY }, "invalid_request"],
    ["a count beyond 2^53", { count: 2 ** 53 }, "invalid_request"],
    ["a negative missing count", { missing: -1 }, "invalid_request"],
    ["a fractional missing count", { missing: 0.5 }, "invalid_request"],
    ["a mean that is NaN", { mean: Number.NaN }, "non_finite"],
    ["an infinite m2", { m2: Number.POSITIVE_INFINITY }, "non_finite"],
    ["an infinite maximum", { max: Number.POSITIVE_INFINITY }, "non_finite"],
    ["a minimum that is NaN", { min: Number.NaN }, "non_finite"],
    ["a negative m2", { m2: -1 }, "invalid_request"],
    ["a mean below the minimum", { mean: 0.5 }, "invalid_request"],
    ["a mean above the maximum", { mean: 6.5 }, "invalid_request"],
    ["a minimum above the maximum", { min: 7, max: 6.5, mean: 6.75 }, "invalid_request"],
  ])("are refused for %s", (_what, change, code) => {
    expect(() => readOne(change)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining("feature 1") }),
    );
  });

  test("may have a mean that float32 rounded past equal values", () => {
    const value = Math.fround(19.47406);
    const change = { count: 3, mean: value * (1 + 2 ** -24), m2: 0, min: value, max: value };
    expect(readOne(change)).toMatchObject(change);
  });

  test("without values are those of no rows, whatever they say", () => {
    const change = { count: 0, missing: 3, mean: Number.NaN, m2: -5, min: 1, max: 0 };
    expect(readOne(change)).toEqual({ ...NO_STATISTICS, missing: 3 });
  });
});
