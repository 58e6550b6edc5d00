// What rows of any width need from vectors of four.

/** All ones in the lanes whose column `at + lane` is below `width`. */
// @ts-ignore: decorator
@inline
export function within(at: u32, width: u32): v128 {
  return i32x4.gt_s(i32x4.splat(<i32>width - <i32>at), i32x4(0, 1, 2, 3));
}

/** The sum of four values, in float64. */
// @ts-ignore: decorator
@inline
export function wideSum4(x: v128): f64 {
  const pairs = f64x2.add(f64x2.promote_low_f32x4(x), highHalf(x));
  return f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** The third and fourth value, in float64. */
// @ts-ignore: decorator
@inline
export function highHalf(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  return (
    (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

// @ts-ignore: decorator
@inline
export function max4(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}
