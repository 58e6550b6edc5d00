// The optimisers' rules over some of the flat, padded parameters. Padding has gradient 0 and stays 0.

import { Optimizer } from "./records";

/** `w -= rate * g` */
export function sgd(w: usize, g: usize, bytes: usize, learningRate: f32): void {
  const rate = f32x4.splat(learningRate);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(w + i, f32x4.sub(v128.load(w + i), f32x4.mul(rate, v128.load(g + i))));
  }
}

/** `v = momentum * v + g; w -= rate * v` */
export function momentum(w: usize, g: usize, velocity: usize, bytes: usize, learningRate: f32, mu: f32): void {
  const rate = f32x4.splat(learningRate);
  const keep = f32x4.splat(mu);
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = f32x4.add(f32x4.mul(keep, v128.load(velocity + i)), v128.load(g + i));
    v128.store(velocity + i, v);
    v128.store(w + i, f32x4.sub(v128.load(w + i), f32x4.mul(rate, v)));
  }
}

/**
 * `v = momentum * v + g; w -= rate * (g + momentum * v)`
 *
 * Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
 */
export function nesterov(w: usize, g: usize, velocity: usize, bytes: usize, learningRate: f32, mu: f32): void {
  const rate = f32x4.splat(learningRate);
  const keep = f32x4.splat(mu);
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const v = f32x4.add(f32x4.mul(keep, v128.load(velocity + i)), gradient);
    v128.store(velocity + i, v);
    const ahead = f32x4.add(gradient, f32x4.mul(keep, v));
    v128.store(w + i, f32x4.sub(v128.load(w + i), f32x4.mul(rate, ahead)));
  }
}

/** `base^exponent` by squaring. */
function power(base: f64, exponent: u32): f64 {
  let result: f64 = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

/**
 * `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * w -= rate * weightDecay * w + rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`
 *
 * @param at bytes into the state, where `w` and `g` are already
 * @param t the step, from 1
 *
 * Sources: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019, arXiv:1711.05101.
 */
export function adam(w: usize, g: usize, at: usize, bytes: usize, o: Optimizer, learningRate: f64, t: u32): void {
  const first = o.first + at, second = o.second + at;
  const keep1 = f32x4.splat(<f32>o.beta1), add1 = f32x4.splat(<f32>(1 - o.beta1));
  const keep2 = f32x4.splat(<f32>o.beta2), add2 = f32x4.splat(<f32>(1 - o.beta2));
  const rate = f32x4.splat(<f32>(learningRate / (1 - power(o.beta1, t))));
  const correction2 = f32x4.splat(<f32>(1 / (1 - power(o.beta2, t))));
  const decay = f32x4.splat(<f32>(learningRate * o.weightDecay));
  // An epsilon that is 0 in float32 would make 0 / 0 of a parameter without gradient.
  const epsilon = f32x4.splat(max(<f32>o.epsilon, f32.MIN_NORMAL_VALUE));
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const m = f32x4.add(f32x4.mul(keep1, v128.load(first + i)), f32x4.mul(add1, gradient));
    const v = f32x4.add(f32x4.mul(keep2, v128.load(second + i)), f32x4.mul(add2, f32x4.mul(gradient, gradient)));
    v128.store(first + i, m);
    v128.store(second + i, v);
    const scale = f32x4.add(f32x4.sqrt(f32x4.mul(v, correction2)), epsilon);
    let weight = v128.load(w + i);
    weight = f32x4.sub(weight, f32x4.mul(decay, weight));
    v128.store(w + i, f32x4.sub(weight, f32x4.div(f32x4.mul(rate, m), scale)));
  }
}
