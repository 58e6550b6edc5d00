/**
 * The `q`-quantile of `values` by the nearest rank: the smallest value that at least `q` of them do not exceed.
 *
 * @param values at least one
 * @param q above 0, at most 1
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(q * sorted.length) - 1];
  if (value === undefined) throw new Error("unreachable: a quantile of no values");
  return value;
}

/** The middle value; the lower of the two when their number is even. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** `"7 runs, 1,200 to 1,350"` */
export function spread(values: readonly number[]): string {
  return `${values.length} runs, ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`;
}

/** A number as tables show it: three digits at least, thousands apart. */
export function figure(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
