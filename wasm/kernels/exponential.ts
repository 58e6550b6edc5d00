const LOG2_E: f32 = 1.44269504;
// ln 2 in two parts: n * LN2_HIGH is exact for |n| < 2^15 (LN2_HIGH has 9 significant bits).
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
/** 1.5 * 2^23: a sum with it is rounded to a whole number, which its lowest bits are. */
const WHOLE: f32 = 12582912;
/** Below this, exp is taken as 0: under 2^-92 of a softmax's sum, and products with it stay normal numbers. */
const FLUSH: f32 = -64;

/**
 * `e^x` for `x <= 64`, four at a time; NaN stays NaN, `x < -64` gives 0.
 *
 * `x = n ln 2 + r` with `|r| <= 0.347`; Taylor's polynomial of degree 7 leaves `r^8 / 8! < 5.3e-9`. Horner's
 * last sum errs by 2^-24 at most, its last product by |r| 2^-24, those before by |r| less each, and r by 2^-26:
 * together below 2^-23 of e^r.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // `nearest` and `trunc_sat` would do the same; on x86-64 they are 10 instructions more.
  const whole = f32x4.add(f32x4.mul(x, f32x4.splat(LOG2_E)), f32x4.splat(WHOLE));
  const n = f32x4.sub(whole, f32x4.splat(WHOLE));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let p = f32x4.splat(1.0 / 5040.0);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 720.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 120.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 24.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 6.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  const exponent = i32x4.add(whole, i32x4.splat(127));
  const y = f32x4.mul(p, i32x4.shl(exponent, 23));
  return v128.andnot(y, f32x4.lt(x, f32x4.splat(FLUSH)));
}
