import { Dropout, rowBytes } from "./records";

const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;
/** `STREAMS.dropout` of protocol/random.ts */
const STREAM: u32 = 4;

// @ts-ignore: decorator
@inline
function lowWords(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function highWords(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

// @ts-ignore: decorator
@inline
function storeFactors(to: usize, words: v128, threshold: v128, scale: v128): void {
  v128.store(to, v128.andnot(scale, i32x4.lt_u(words, threshold)));
}

/**
 * Four rows' factors of units `4 q … 4 q + 3`: 0 where the word is below the threshold, else the scale. The words
 * are Philox 4x32-10, a row a lane, with the bits of protocol/random.ts.
 */
function fourRows(
  to: usize, row: usize, dropout: Dropout,
  q: u32, firstRow: u32, step: u32, layer: u32,
): void {
  let c0 = i32x4.splat(q);
  let c1 = i32x4.add(i32x4.splat(firstRow), i32x4(0, 1, 2, 3));
  let c2 = i32x4.splat(step);
  let c3 = i32x4.splat(layer);
  let k0 = dropout.seed, k1 = STREAM;
  const m0 = i32x4.splat(MULTIPLIER_0), m1 = i32x4.splat(MULTIPLIER_1);
  for (let round = 0; round < 10; round++) {
    const left0 = i64x2.extmul_low_i32x4_u(m0, c0), right0 = i64x2.extmul_high_i32x4_u(m0, c0);
    const left1 = i64x2.extmul_low_i32x4_u(m1, c2), right1 = i64x2.extmul_high_i32x4_u(m1, c2);
    c0 = v128.xor(v128.xor(highWords(left1, right1), c1), i32x4.splat(k0));
    c1 = lowWords(left1, right1);
    c2 = v128.xor(v128.xor(highWords(left0, right0), c3), i32x4.splat(k1));
    c3 = lowWords(left0, right0);
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  const threshold = i32x4.splat(dropout.threshold), scale = f32x4.splat(dropout.scale);
  const low01 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), low23 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7), high23 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  storeFactors(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), threshold, scale);
  storeFactors(to + row, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), threshold, scale);
  storeFactors(to + 2 * row, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), threshold, scale);
  storeFactors(to + 3 * row, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), threshold, scale);
}

/**
 * What every unit's activation is multiplied by in this step: 0 where it is dropped, else the scale.
 *
 * @param factors padded `[rows, width]`; rows are written up to the next multiple of 4
 * @param firstRow the place in the batch of row 0
 * @param layer of the hidden ones, from 0
 *
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11.
 */
export function dropoutFactors(
  factors: usize, rows: u32, width: u32,
  dropout: Dropout, firstRow: u32, step: u32, layer: u32,
): void {
  const row = rowBytes(width);
  for (let r: u32 = 0; r < rows; r += 4) {
    for (let u: u32 = 0; u < width; u += 4) {
      fourRows(factors + <usize>r * row + (<usize>u << 2), row, dropout, u >> 2, firstRow + r, step, layer);
    }
  }
}
