const LOG2_E: f32 = 1.44269504;
// ln 2 in two parts: n * LN2_HIGH is exact for |n| < 2^15 (LN2_HIGH has 9 significant bits).
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;
/** Below this, exp is taken as 0: under 2^-92 of a softmax's sum, and products with it stay normal numbers. */
const FLUSH: f32 = -64;

/**
 * `e^x` for `x <= 0`, four at a time; NaN stays NaN, `x < -64` gives 0.
 *
 * `x = n ln 2 + r` with `|r| <= 0.347`; Taylor's polynomial of degree 7 leaves `r^8 / 8! < 5.3e-9`. Horner's
 * last sum errs by 2^-24 at most, its last product by |r| 2^-24, those before by |r| less each, and r by 2^-26:
 * together below 2^-23 of e^r.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2_E)));
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
  const exponent = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127));
  const y = f32x4.mul(p, i32x4.shl(exponent, 23));
  return v128.andnot(y, f32x4.lt(x, f32x4.splat(FLUSH)));
}

// @ts-ignore: decorator
@inline
function sum4(x: v128): f32 {
  return (
    (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

// @ts-ignore: decorator
@inline
function max4(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** All ones in the lanes whose column `at + lane` is below `width`. */
// @ts-ignore: decorator
@inline
function within(at: u32, width: u32): v128 {
  return i32x4.gt_s(i32x4.splat(<i32>width - <i32>at), i32x4(0, 1, 2, 3));
}

/**
 * Replaces logits by the derivatives of the mean loss, `(softmax(z) - onehot(class)) * scale`, and gives the sum
 * over rows of `-log softmax(z)[class]`.
 *
 * @param z padded `[rows, width]`; padding becomes 0
 * @param classes u32, one a row of the training set; `order` says which
 */
export function softmaxCrossEntropy(
  z: usize, row: usize, rows: u32, width: u32,
  classes: usize, order: usize,
  scale: f32,
): f64 {
  let loss: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const index = load<u32>(classes + (<usize>load<u32>(order + (<usize>r << 2)) << 2));
    const target = z + (<usize>index << 2);
    let largest = f32x4.splat(-Infinity);
    for (let c: u32 = 0; c < width; c += 4) {
      const logits = v128.bitselect(v128.load(z + (<usize>c << 2)), f32x4.splat(-Infinity), within(c, width));
      largest = f32x4.max(largest, logits);
    }
    const top = max4(largest);
    loss -= <f64>load<f32>(target) - <f64>top;
    let sums = f32x4.splat(0);
    for (let c: u32 = 0; c < width; c += 4) {
      const at = z + (<usize>c << 2);
      const e = v128.and(exp4(f32x4.sub(v128.load(at), f32x4.splat(top))), within(c, width));
      v128.store(at, e);
      sums = f32x4.add(sums, e);
    }
    const sum = sum4(sums);
    loss += NativeMath.log(<f64>sum);
    const factor = f32x4.splat(scale / sum);
    for (let c: u32 = 0; c < width; c += 4) {
      const at = z + (<usize>c << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
    }
    store<f32>(target, load<f32>(target) - scale);
    z += row;
  }
  return loss;
}
