/** A float32 sum or product rounds by at most this of its result: WGSL allows either neighbour. */
export const ULP = 2 ** -23;

/** Relative error of `n` roundings one after another: `n u / (1 - n u)`, Higham 2002, lemma 3.1. */
export function roundings(n: number): number {
  return (n * ULP) / (1 - n * ULP);
}

/** Relative error of `exp(x)`: `3 + 2 |x|` units in the last place, as WGSL allows it. */
export function expRounding(x: number): number {
  return roundings(3 + 2 * Math.abs(x));
}

/** Exact values and the largest error that float32 arithmetic may have in each. */
export interface Estimate {
  readonly value: Float64Array;
  readonly error: Float64Array;
}
