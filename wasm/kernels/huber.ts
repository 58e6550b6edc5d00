import { wideSum4, within } from "./vector";

/**
 * Replaces outputs by the derivatives of the mean loss, `clamp(e, -delta, delta) / width * scale` with
 * `e = y - t`, and gives the sum over rows of `sum_o (|e| <= delta ? e^2 / 2 : delta (|e| - delta / 2)) / width`.
 *
 * @param y padded `[rows, width]`; padding becomes 0
 * @param values f32 `[training rows, width]`, readable 12 bytes past its end; `order` says which rows
 */
export function huber(
  y: usize, row: usize, rows: u32, width: u32,
  values: usize, order: usize,
  delta: f32, scale: f32,
): f64 {
  const factor = f32x4.splat(scale / <f32>width);
  const bytes: usize = <usize>width << 2;
  const bound = f32x4.splat(delta);
  let total: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const target = values + <usize>load<u32>(order + (<usize>r << 2)) * bytes;
    for (let c: usize = 0; c < bytes; c += 16) {
      const e = v128.and(f32x4.sub(v128.load(y + c), v128.load(target + c)), within(<u32>(c >> 2), width));
      // With q = min(|e|, delta) both cases are q (|e| - q / 2).
      const size = f32x4.abs(e);
      const q = f32x4.pmin(size, bound);
      total += wideSum4(f32x4.mul(q, f32x4.sub(size, f32x4.mul(q, f32x4.splat(0.5)))));
      const clamped = f32x4.pmax(f32x4.pmin(e, bound), f32x4.neg(bound));
      v128.store(y + c, f32x4.mul(clamped, factor));
    }
    y += row;
  }
  return total / <f64>width;
}
