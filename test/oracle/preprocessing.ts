/** `x[r,f] = plus[r] - minus[r]` rounded once to float32, or `plus[r]`; row-major `[rows, features]`. */
export function encodeFeatures(
  columns: readonly ArrayLike<number>[],
  terms: readonly { readonly plus: number; readonly minus: number | null }[],
): Float32Array<ArrayBuffer> {
  const rows = columns[0].length;
  return Float32Array.from({ length: rows * terms.length }, (_, i) => {
    const { plus, minus } = terms[i % terms.length];
    const row = Math.floor(i / terms.length);
    return minus === null ? columns[plus][row] : columns[plus][row] - columns[minus][row];
  });
}

/** `isNaN(x) ? fill[c] : x` */
export function impute(x: ArrayLike<number>, fill: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, i) => (Number.isNaN(value) ? fill[i % fill.length] : value));
}

/** `(x - mean[c]) * invStd[c]` */
export function standardise(
  x: ArrayLike<number>,
  mean: ArrayLike<number>,
  invStd: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(x, (value, i) => (value - mean[i % mean.length]) * invStd[i % mean.length]);
}

export interface Moments {
  readonly count: number;
  readonly missing: number;
  readonly mean: number;
  readonly m2: number;
  readonly min: number;
  readonly max: number;
}

/** Two passes in float64: the mean, then squared distances from it. NaN is missing. */
export function columnMoments(x: ArrayLike<number>, cols: number, column: number): Moments {
  const all = Array.from(x).filter((_, i) => i % cols === column);
  const present = all.filter((value) => !Number.isNaN(value));
  const count = present.length;
  // Sums of differences from a member keep the digits that a large offset would take.
  const origin = present[0] ?? 0;
  const mean = count === 0 ? 0 : origin + present.reduce((sum, value) => sum + (value - origin), 0) / count;
  return {
    count,
    missing: all.length - count,
    mean,
    m2: present.reduce((sum, value) => sum + (value - mean) ** 2, 0),
    min: present.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    max: present.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
}
