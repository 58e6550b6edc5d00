// Activations of hidden layers where a product's epilogue does not do them: over a slice that is still in the
// cache, leaving what goes on in place of the pre-activation and the derivative for the way back.

import { exp4 } from "./exponential";
import { Activation } from "./records";

const SQRT_2_OVER_PI: f32 = 0.797884561;
const CUBIC: f32 = 0.044715;

/**
 * `y = f a(z); d = f a'(z)` for `z` in the place of `y`, with the factors `f` in the place of `d`, or 1.
 *
 * @param bytes of `y` and of `d`, a multiple of 16
 * @param dropped whether `d` has factors
 */
export function activate(activation: Activation, y: usize, d: usize, bytes: usize, dropped: bool): void {
  if (activation == Activation.Gelu) each(Activation.Gelu, y, d, bytes, dropped);
  else if (activation == Activation.Tanh) each(Activation.Tanh, y, d, bytes, dropped);
  else if (activation == Activation.Relu) each(Activation.Relu, y, d, bytes, dropped);
  else each(Activation.Identity, y, d, bytes, dropped);
}

// A loop of its own for each activation, without a choice in it: training with GELU is 7% faster so.
// @ts-ignore: decorator
@inline
function each(activation: Activation, y: usize, d: usize, bytes: usize, dropped: bool): void {
  const end = y + bytes;
  const one = f32x4.splat(1);
  for (; y < end; y += 16, d += 16) {
    const f = dropped ? v128.load(d) : one;
    if (activation == Activation.Gelu) gelu4(y, d, f);
    else if (activation == Activation.Tanh) tanh4(y, d, f);
    else if (activation == Activation.Relu) relu4(y, d, f);
    else {
      v128.store(y, f32x4.mul(v128.load(y), f));
      v128.store(d, f);
    }
  }
}

// @ts-ignore: decorator
@inline
function relu4(y: usize, d: usize, f: v128): void {
  const z = v128.load(y);
  const zero = f32x4.splat(0);
  // pmax(z, 0) is `z < 0 ? 0 : z`: NaN stays NaN, so that divergence shows.
  v128.store(y, f32x4.mul(f32x4.pmax(z, zero), f));
  v128.store(d, v128.and(f, f32x4.gt(z, zero)));
}

/**
 * With `e = exp(-2|z|)`: `tanh |z| = (1 - e) / (1 + e)`, and `1 - tanh(z)^2 = 4 e / (1 + e)^2` without a difference
 * that cancels. Where `1 - e` would cancel, below 0.625, `z + z^3 P(z^2)` is used.
 *
 * Error: e has 2^-23 of itself, which is at most 0.29 where it counts, so `1 - e` (at least 0.71) errs by
 * 0.41 * 2^-23 + 2^-24, `1 / (1 + e)` by 0.23 * 2^-23 + 2^-23, the product by 2^-24: together below 2^-21.5. The
 * polynomial's is below 2^-23 (P itself 1e-8, z^3 P a tenth of z at most and rounded five times, one last sum).
 *
 * Source of P: Moshier, Cephes Mathematical Library, `tanhf`.
 */
// @ts-ignore: decorator
@inline
function tanh4(y: usize, d: usize, f: v128): void {
  const z = v128.load(y);
  const size = f32x4.abs(z);
  const one = f32x4.splat(1);
  const e = exp4(f32x4.mul(size, f32x4.splat(-2)));
  const r = f32x4.div(one, f32x4.add(one, e));
  const large = v128.bitselect(z, f32x4.mul(f32x4.sub(one, e), r), f32x4.splat(-0.0));
  const square = f32x4.mul(z, z);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-3.33332819422e-1));
  const small = f32x4.add(z, f32x4.mul(z, f32x4.mul(square, p)));
  const t = v128.bitselect(small, large, f32x4.lt(size, f32x4.splat(0.625)));
  v128.store(y, f32x4.mul(t, f));
  const slope = f32x4.mul(f32x4.splat(4), f32x4.mul(e, f32x4.mul(r, r)));
  v128.store(d, f32x4.mul(slope, f));
}

/**
 * `(1 + tanh u) / 2` is `s = 1 / (1 + exp(-2u))`, and its derivative `2 u' s (1 - s)`: with `e = exp(-2|u|)` and
 * `r = 1 / (1 + e)`, s is `r` or `e r`, and `s (1 - s) = e r^2`, none of them by a difference. Beyond |z| = 10, where
 * e is 0 to float32, z counts as ±10 in u, so that nothing overflows.
 *
 * Error: u has 4 roundings, which in `exp(-2|u|)` count 2|u| times: `exp(-2|u|)` errs by `(8|u| + 2) 2^-24` of itself.
 */
// @ts-ignore: decorator
@inline
function gelu4(y: usize, d: usize, f: v128): void {
  const z = v128.load(y);
  const one = f32x4.splat(1);
  const bounded = f32x4.pmax(f32x4.pmin(z, f32x4.splat(10)), f32x4.splat(-10));
  const square = f32x4.mul(bounded, bounded);
  const cubic = f32x4.mul(square, f32x4.splat(CUBIC));
  const u = f32x4.mul(f32x4.mul(bounded, f32x4.splat(SQRT_2_OVER_PI)), f32x4.add(one, cubic));
  const e = exp4(f32x4.mul(f32x4.abs(u), f32x4.splat(-2)));
  const r = f32x4.div(one, f32x4.add(one, e));
  const er = f32x4.mul(e, r);
  const s = v128.bitselect(er, r, f32x4.lt(u, f32x4.splat(0)));
  v128.store(y, f32x4.mul(f32x4.mul(z, s), f));
  const uSlope = f32x4.mul(f32x4.splat(SQRT_2_OVER_PI), f32x4.add(one, f32x4.mul(f32x4.splat(3), cubic)));
  const bend = f32x4.mul(f32x4.mul(bounded, f32x4.add(uSlope, uSlope)), f32x4.mul(er, r));
  v128.store(d, f32x4.mul(f32x4.add(s, bend), f));
}

/** `dy = dy * d`, entry by entry. @param bytes of either, a multiple of 16 */
export function multiplyBy(dy: usize, d: usize, bytes: usize): void {
  const end = dy + bytes;
  for (; dy < end; dy += 16, d += 16) v128.store(dy, f32x4.mul(v128.load(dy), v128.load(d)));
}
