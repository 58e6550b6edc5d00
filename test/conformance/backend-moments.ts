import { describe, expect, test } from "vitest";
import { NO_STATISTICS } from "../../protocol/statistics.ts";
import { columnMoments } from "../oracle/preprocessing.ts";
import type { BackendOf } from "./backend.ts";
import { uniform } from "./samples.ts";

const { NaN: MISSING } = Number;

/** Columns that break naive sums: offsets, constants, holes. Each gives the value of row `r` from noise in ±1. */
const COLUMNS: readonly ((noise: number, r: number) => number)[] = [
  (noise) => noise,
  (noise) => 2_457_000 + noise * 2.4, // Julian dates: the mean is 1e6 standard deviations from 0
  (noise) => 4.5e9 + noise * 4500,
  (noise) => -1e6 + noise,
  () => 3.25,
  () => MISSING,
  (noise, r) => (r % 3 === 0 ? MISSING : 2_457_000 + noise * 100), // the first row is missing
  (noise, r) => (r % 7 === 0 ? noise * 1e4 : noise), // rows far from the others, the first among them
  (noise, r) => (r < 1500 ? MISSING : noise), // whole chunks are missing
];

/** Statistics of columns against two float64 passes. */
export function describeMoments(backend: BackendOf): void {
  describe("moments", () => {
    test.each([1, 2, 63, 1021, 1024, 1025, 5003])("of %i rows are as in float64", async (rows) => {
      const cols = COLUMNS.length;
      const noise = uniform(rows * cols, 21);
      const values = noise.map((n, i) => COLUMNS[i % cols]?.(n, Math.floor(i / cols)) ?? MISSING);
      const x = backend().matrix(values, rows, cols);
      const found = await backend().moments(x);
      x.dispose();
      expect(found).toHaveLength(cols);
      found.forEach((statistics, c) => {
        const { count, missing, mean, m2, min, max } = columnMoments(values, cols, c);
        const { mean: foundMean, m2: foundM2, ...exact } = statistics;
        expect(exact, `column ${c}`).toEqual({ count, missing, min, max });
        // Shifted float32 sums of at most 1024 rows err by about 2^-20 of the values' spread.
        const spread = Math.sqrt(m2 / Math.max(count, 1));
        expect(Math.abs(foundMean - mean), `mean of column ${c}`).toBeLessThanOrEqual(
          1e-5 * spread + 2 ** -50 * Math.abs(mean),
        );
        expect(Math.abs(foundM2 - m2), `m2 of column ${c}: ${foundM2}, expected ${m2}`).toBeLessThanOrEqual(
          1e-6 * m2,
        );
      });
    });

    test.each([1, 3, 4, 5, 17])("of %i columns are each column's own", async (cols) => {
      const values = uniform(130 * cols, 22).map((n, i) => n + (i % cols));
      const x = backend().matrix(values, 130, cols);
      const found = await backend().moments(x);
      x.dispose();
      expect(found.map(({ min, max }) => [min, max])).toEqual(
        Array.from({ length: cols }, (_, c) => {
          const { min, max } = columnMoments(values, cols, c);
          return [min, max];
        }),
      );
    });

    test("of no rows are the statistics of nothing", async () => {
      const x = backend().matrix(new Float32Array(0), 0, 2);
      expect(await backend().moments(x)).toEqual([NO_STATISTICS, NO_STATISTICS]);
      x.dispose();
    });

    test("see what impute and standardise did before them", async () => {
      const x = backend().matrix(Float32Array.of(1, MISSING, 3, MISSING), 4, 1);
      backend().impute(x, Float32Array.of(2));
      backend().standardise(x, Float32Array.of(2), Float32Array.of(3));
      const [statistics] = await backend().moments(x);
      x.dispose();
      expect(statistics).toEqual({ count: 4, missing: 0, mean: 0, m2: 18, min: -3, max: 3 });
    });
  });
}
