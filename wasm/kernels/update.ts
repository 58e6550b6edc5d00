// From the gradients of a batch's groups to the next parameters, block by block: a block stays in the L1 cache
// while its groups are summed, terms are added and the rule is applied, and what is off costs nothing. Lanes have
// blocks of their own; what is summed over all of them is summed from one value a block, so no bit depends on them.

import { adam, momentum, nesterov, sgd } from "./optimizer";
import { Network, Optimizer, Rule } from "./records";
import { highHalf } from "./vector";

/** Bytes of a block of parameters, of a lane's least share: `BLOCK_BYTES` of wasm/records.ts. */
const BLOCK: usize = 1024;

/** Where the blocks of lane `lane` begin; those of the last end with the parameters. */
// @ts-ignore: decorator
@inline
function blocksFrom(network: Network, lane: u32, lanes: u32): usize {
  const blocks = (network.parameterBytes + BLOCK - 1) / BLOCK;
  return min(network.parameterBytes, blocks * lane / lanes * BLOCK);
}

/** Leaves the sum of the groups' gradients in the first, in the groups' order. */
function sumGroups(gradient: usize, bytes: usize, stride: usize, groups: u32): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    let at = gradient + i;
    let sum = v128.load(at);
    for (let g: u32 = 1; g < groups; g++) {
      at += stride;
      sum = f32x4.add(sum, v128.load(at));
    }
    v128.store(gradient + i, sum);
  }
}

/** `g *= factor` */
function scale(g: usize, bytes: usize, factor: f32): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(g + i, f32x4.mul(v128.load(g + i), f32x4.splat(factor)));
  }
}

/** `g += factor * (w - origin)`; `origin` 0 counts as zeros */
function addPull(g: usize, w: usize, origin: usize, bytes: usize, factor: f32): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    let away = v128.load(w + i);
    if (origin != 0) away = f32x4.sub(away, v128.load(origin + i));
    v128.store(g + i, f32x4.add(v128.load(g + i), f32x4.mul(f32x4.splat(factor), away)));
  }
}

/** `g += term` */
function add(g: usize, term: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(g + i, f32x4.add(v128.load(g + i), v128.load(term + i)));
  }
}

/** The sum of squares of a block, in float64. */
function sumOfSquares(g: usize, bytes: usize): f64 {
  let left = f64x2.splat(0), right = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const values = v128.load(g + i);
    const low = f64x2.promote_low_f32x4(values), high = highHalf(values);
    left = f64x2.add(left, f64x2.mul(low, low));
    right = f64x2.add(right, f64x2.mul(high, high));
  }
  const both = f64x2.add(left, right);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** Sums this lane's blocks of the groups' gradients. @param squares whether to leave their sums of squares */
export function sumGradients(network: Network, groups: u32, squares: bool, lane: u32, lanes: u32): void {
  const stride = network.parameterBytes;
  const end = blocksFrom(network, lane + 1, lanes);
  for (let at = blocksFrom(network, lane, lanes); at < end; at += BLOCK) {
    const gradient = network.gradients + at, bytes = min(BLOCK, end - at);
    if (groups > 1) sumGroups(gradient, bytes, stride, groups);
    if (squares) store<f64>(network.squares + (at / BLOCK << 3), sumOfSquares(gradient, bytes));
  }
}

/** `min(1, clipNorm / |g|)`, when all blocks' sums of squares are there; NaN when |g| is. */
export function clipFactor(network: Network, clipNorm: f64): f32 {
  const count = (network.parameterBytes + BLOCK - 1) / BLOCK;
  let sum: f64 = 0;
  for (let b: usize = 0; b < count; b++) sum += load<f64>(network.squares + (b << 3));
  return <f32>min<f64>(1, clipNorm / sqrt<f64>(sum));
}

/** One step of this lane's blocks. @param groups gradients still to be summed @param factor of the gradient @param t from 1 */
export function update(
  network: Network, o: Optimizer,
  groups: u32, factor: f32, rate: f32, t: u32,
  lane: u32, lanes: u32,
): void {
  const stride = network.parameterBytes;
  const end = blocksFrom(network, lane + 1, lanes);
  for (let at = blocksFrom(network, lane, lanes); at < end; at += BLOCK) {
    const w = network.parameters + at, g = network.gradients + at, bytes = min(BLOCK, end - at);
    if (groups > 1) sumGroups(g, bytes, stride, groups);
    if (factor != 1) scale(g, bytes, factor);
    if (o.l2 != 0) addPull(g, w, 0, bytes, <f32>o.l2);
    if (o.proximalMu != 0) addPull(g, w, o.origin + at, bytes, <f32>o.proximalMu);
    if (o.correction != 0) add(g, o.correction + at, bytes);
    if (o.rule == Rule.Sgd) sgd(w, g, bytes, rate);
    else if (o.rule == Rule.Momentum) momentum(w, g, o.first + at, bytes, rate, <f32>o.beta1);
    else if (o.rule == Rule.Nesterov) nesterov(w, g, o.first + at, bytes, rate, <f32>o.beta1);
    else adam(w, g, at, bytes, o, rate, t);
  }
}
