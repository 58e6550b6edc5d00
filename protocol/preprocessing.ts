import * as z from "zod";
import type { ColumnStatistics } from "./statistics.ts";

/** A model input computed from catalog columns: `plus`, or the difference `plus - minus` (a colour). */
export const Feature = z.strictObject({
  name: z.string().min(1).max(64),
  plus: z.string().min(1).max(64),
  minus: z.string().min(1).max(64).nullable(),
});
export type Feature = z.infer<typeof Feature>;

/** Fitted state, one entry a feature: `z = ((isNaN(x) ? fill : x) - mean) * invStd`. */
export const FittedPreprocessing = z.strictObject({
  fill: z.array(z.number()),
  mean: z.array(z.number()),
  invStd: z.array(z.number().positive()),
});
export type FittedPreprocessing = z.infer<typeof FittedPreprocessing>;

/**
 * Mean imputation followed by standardisation, as centralised preprocessing of all rows would fit them:
 * `fill = mean`, `invStd = 1 / sqrt(m2 / (count + missing))`. Imputed values add nothing to m2 but count as
 * rows. A constant or empty feature keeps scale 1, so it becomes 0.
 */
export function fitPreprocessing(statistics: readonly ColumnStatistics[]): FittedPreprocessing {
  return {
    fill: statistics.map(({ mean }) => mean),
    mean: statistics.map(({ mean }) => mean),
    invStd: statistics.map(({ m2, count, missing }) => {
      const variance = m2 / Math.max(count + missing, 1);
      return variance > 0 ? 1 / Math.sqrt(variance) : 1;
    }),
  };
}
