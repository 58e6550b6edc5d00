import { exp4 } from "./exponential";
import { wideSum4, within } from "./vector";

/** Log-variances count as at most this, and at least its negative. */
const LIMIT: f32 = 14;

// @ts-ignore: decorator
@inline
function storeWithin(at: usize, values: v128, lanes: v128): void {
  v128.store(at, v128.bitselect(values, v128.load(at), lanes));
}

/**
 * Replaces means `m` and log-variances `s` by the derivatives of the mean loss, `(m - t) exp(-s) / n * scale` and
 * `(1 - (m - t)^2 exp(-s)) / 2 / n * scale`, and gives the sum over rows of
 * `sum_o (s + (m - t)^2 exp(-s)) / 2 / n`, `s` clamped to ±14 and `n = width / 2`. The derivative goes straight
 * through the clamp, so that an `s` beyond it can come back.
 *
 * @param y padded `[rows, width]`: n means, then n log-variances
 * @param values f32 `[training rows, n]`, readable 12 bytes past its end; `order` says which rows
 */
export function gaussian(
  y: usize, row: usize, rows: u32, width: u32,
  values: usize, order: usize,
  scale: f32,
): f64 {
  const targets = width >> 1;
  const bytes: usize = <usize>targets << 2;
  const factor = f32x4.splat(scale / <f32>targets);
  const half = f32x4.splat(<f32>0.5 * scale / <f32>targets);
  const highest = f32x4.splat(LIMIT), lowest = f32x4.splat(-LIMIT);
  let total: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const target = values + <usize>load<u32>(order + (<usize>r << 2)) * bytes;
    for (let c: usize = 0; c < bytes; c += 16) {
      const mean = y + c, logVariance = mean + bytes;
      const lanes = within(<u32>(c >> 2), targets);
      const e = v128.and(f32x4.sub(v128.load(mean), v128.load(target + c)), lanes);
      const s = v128.and(f32x4.pmax(f32x4.pmin(v128.load(logVariance), highest), lowest), lanes);
      const weighted = f32x4.mul(e, exp4(f32x4.neg(s)));
      const q = f32x4.mul(e, weighted);
      total += wideSum4(s) + wideSum4(q);
      // The last vectors of means and of log-variances reach into what follows them.
      storeWithin(mean, f32x4.mul(weighted, factor), lanes);
      storeWithin(logVariance, f32x4.mul(f32x4.sub(f32x4.splat(1), q), half), lanes);
    }
    y += row;
  }
  return total / <f64>width;
}
