/**
 * One feature: `x[r] = plus[r] - minus[r]`, or `plus[r]` when `minus` is 0. NaN stays NaN.
 *
 * @param x the feature's first value in a row-major matrix; `row` bytes lead to the next
 * @param plus f32 `[rows]`, readable up to a multiple of 4
 */
export function encodeFeature(x: usize, row: usize, plus: usize, minus: usize, rows: u32): void {
  const end = plus + (<usize>rows << 2);
  const whole = plus + (<usize>(rows & ~3) << 2);
  while (plus < whole) {
    let four = v128.load(plus);
    if (minus != 0) {
      four = f32x4.sub(four, v128.load(minus));
      minus += 16;
    }
    v128.store_lane<f32>(x, four, 0);
    v128.store_lane<f32>(x + row, four, 1);
    v128.store_lane<f32>(x + 2 * row, four, 2);
    v128.store_lane<f32>(x + 3 * row, four, 3);
    x += 4 * row;
    plus += 16;
  }
  while (plus < end) {
    if (minus != 0) {
      store<f32>(x, load<f32>(plus) - load<f32>(minus));
      minus += 4;
    } else {
      store<u32>(x, load<u32>(plus));
    }
    x += row;
    plus += 4;
  }
}
