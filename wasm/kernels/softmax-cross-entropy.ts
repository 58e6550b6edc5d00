import { exp4 } from "./exponential";
import { max4, sum4, within } from "./vector";

/**
 * Replaces logits by the derivatives of the mean loss, `c_k (softmax(z) - onehot(k)) * scale`, and gives the sum
 * over rows of `-c_k log softmax(z)[k]`, `k` the row's class.
 *
 * @param z padded `[rows, width]`; padding becomes 0
 * @param classes u32, one a row of the training set; `order` says which
 * @param weights f32 `[width]`: `c`, or 0 when all are 1
 */
export function softmaxCrossEntropy(
  z: usize, row: usize, rows: u32, width: u32,
  classes: usize, order: usize,
  weights: usize, scale: f32,
): f64 {
  let loss: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const index = <usize>load<u32>(classes + (<usize>load<u32>(order + (<usize>r << 2)) << 2)) << 2;
    const weight = weights == 0 ? <f32>1 : load<f32>(weights + index);
    const target = z + index;
    let largest = f32x4.splat(-Infinity);
    for (let c: u32 = 0; c < width; c += 4) {
      const logits = v128.bitselect(v128.load(z + (<usize>c << 2)), f32x4.splat(-Infinity), within(c, width));
      largest = f32x4.max(largest, logits);
    }
    const top = max4(largest);
    const below = <f64>load<f32>(target) - <f64>top;
    let sums = f32x4.splat(0);
    for (let c: u32 = 0; c < width; c += 4) {
      const at = z + (<usize>c << 2);
      const e = v128.and(exp4(f32x4.sub(v128.load(at), f32x4.splat(top))), within(c, width));
      v128.store(at, e);
      sums = f32x4.add(sums, e);
    }
    const sum = sum4(sums);
    loss += <f64>weight * (NativeMath.log(<f64>sum) - below);
    const factor = f32x4.splat(weight * scale / sum);
    for (let c: u32 = 0; c < width; c += 4) {
      const at = z + (<usize>c << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
    }
    store<f32>(target, load<f32>(target) - weight * scale);
    z += row;
  }
  return loss;
}
