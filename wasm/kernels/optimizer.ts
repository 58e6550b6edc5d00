// One optimiser step over the flat, padded parameters. Padding has gradient 0 and stays 0.

/** Rule, rates and state of the optimiser; `wasm/index.ts` says how it is filled. */
@unmanaged
export class Optimizer {
  /** 0 sgd, 1 momentum, 2 adam */
  rule: f64;
  learningRate: f64;
  /** momentum, or Adam's beta1 */
  beta1: f64;
  beta2: f64;
  epsilon: f64;
  /** `beta1^t` and `beta2^t`; 1 before the first step */
  power1: f64;
  power2: f64;
}

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
 * `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`
 *
 * Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1.
 */
export function adam(w: usize, g: usize, first: usize, second: usize, bytes: usize, o: Optimizer): void {
  o.power1 *= o.beta1;
  o.power2 *= o.beta2;
  const keep1 = f32x4.splat(<f32>o.beta1), add1 = f32x4.splat(<f32>(1 - o.beta1));
  const keep2 = f32x4.splat(<f32>o.beta2), add2 = f32x4.splat(<f32>(1 - o.beta2));
  const rate = f32x4.splat(<f32>(o.learningRate / (1 - o.power1)));
  const correction2 = f32x4.splat(<f32>(1 / (1 - o.power2)));
  // An epsilon that is 0 in float32 would make 0 / 0 of a parameter without gradient.
  const epsilon = f32x4.splat(max(<f32>o.epsilon, f32.MIN_NORMAL_VALUE));
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const m = f32x4.add(f32x4.mul(keep1, v128.load(first + i)), f32x4.mul(add1, gradient));
    const v = f32x4.add(f32x4.mul(keep2, v128.load(second + i)), f32x4.mul(add2, f32x4.mul(gradient, gradient)));
    v128.store(first + i, m);
    v128.store(second + i, v);
    const scale = f32x4.add(f32x4.sqrt(f32x4.mul(v, correction2)), epsilon);
    v128.store(w + i, f32x4.sub(v128.load(w + i), f32x4.div(f32x4.mul(rate, m), scale)));
  }
}
