import { highHalf, within } from "./vector";

/**
 * Replaces outputs by the derivatives of the mean loss, `2 (y - t) / width * scale`, and gives the sum over rows
 * of `sum_o (y - t)^2 / width`, accumulated in float64.
 *
 * @param y padded `[rows, width]`; padding becomes 0
 * @param values f32 `[training rows, width]`, readable 12 bytes past its end; `order` says which rows
 */
export function meanSquaredError(
  y: usize, row: usize, rows: u32, width: u32,
  values: usize, order: usize,
  scale: f32,
): f64 {
  const factor = f32x4.splat(<f32>2 * scale / <f32>width);
  const bytes: usize = <usize>width << 2;
  let total: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const target = values + <usize>load<u32>(order + (<usize>r << 2)) * bytes;
    let squares = f64x2.splat(0);
    for (let c: usize = 0; c < bytes; c += 16) {
      const e = v128.and(f32x4.sub(v128.load(y + c), v128.load(target + c)), within(<u32>(c >> 2), width));
      const low = f64x2.promote_low_f32x4(e), high = highHalf(e);
      squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
      v128.store(y + c, f32x4.mul(e, factor));
    }
    total += f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
    y += row;
  }
  return total / <f64>width;
}
