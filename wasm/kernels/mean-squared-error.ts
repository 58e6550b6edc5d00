/**
 * Replaces outputs by the derivatives of the mean loss, `2 (y - t) / width * scale`, and gives the sum over rows
 * of `sum_o (y - t)^2 / width`, accumulated in float64.
 *
 * @param y padded `[rows, width]`; padding is 0 and stays so
 * @param values f32 `[training rows, width]`; `order` says which rows
 */
export function meanSquaredError(
  y: usize, row: usize, rows: u32, width: u32,
  values: usize, order: usize,
  scale: f32,
): f64 {
  const factor = <f32>2 * scale / <f32>width;
  const whole: usize = <usize>(width & ~3) << 2;
  const bytes: usize = <usize>width << 2;
  let total: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const target = values + <usize>load<u32>(order + (<usize>r << 2)) * bytes;
    let squares = f64x2.splat(0);
    for (let c: usize = 0; c < whole; c += 16) {
      const d = f32x4.sub(v128.load(y + c), v128.load(target + c));
      const low = f64x2.promote_low_f32x4(d);
      const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(d, d, 2, 3, 2, 3));
      squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
      v128.store(y + c, f32x4.mul(d, f32x4.splat(factor)));
    }
    let sum = f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
    for (let c = whole; c < bytes; c += 4) {
      const d = load<f32>(y + c) - load<f32>(target + c);
      sum += <f64>d * <f64>d;
      store<f32>(y + c, d * factor);
    }
    total += sum;
    y += row;
  }
  return total / <f64>width;
}
