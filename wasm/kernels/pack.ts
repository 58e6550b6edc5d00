// B of a product, copied into panels of 8 columns: `packed[p, k, j] = B[k, 8 p + j]`.

/** Panels of a row-major B. @param row bytes from a row to the next, a multiple of 32 @param n columns */
export function packRows(packed: usize, b: usize, row: usize, k: u32, n: u32): void {
  for (let j: u32 = 0; j < n; j += 8) {
    let from = b + (<usize>j << 2);
    const end = packed + (<usize>k << 5);
    while (packed < end) {
      v128.store(packed, v128.load(from));
      v128.store(packed, v128.load(from, 16), 16);
      packed += 32;
      from += row;
    }
  }
}

/**
 * Panels of `B = W^T`: `packed[p, k, j] = W[8 p + j, k]`.
 *
 * @param row bytes from a row of W to the next
 * @param k columns of W to take, a multiple of 4
 * @param n rows of W, readable up to the next multiple of 8
 */
export function packTransposed(packed: usize, w: usize, row: usize, k: u32, n: u32): void {
  for (let j: u32 = 0; j < n; j += 8) {
    for (let i: u32 = 0; i < k; i += 4) {
      const from = w + <usize>j * row + (<usize>i << 2);
      transpose4(packed, from, row);
      transpose4(packed + 16, from + 4 * row, row);
      packed += 128;
    }
  }
}

/** Four rows of four values, written as columns 32 bytes apart. */
// @ts-ignore: decorator
@inline
function transpose4(to: usize, from: usize, row: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + row);
  const r2 = v128.load(from + 2 * row);
  const r3 = v128.load(from + 3 * row);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96);
}

/** `sums[j] = start[j] + sum_k packed[j / 8, k, j % 8]`: column sums of B. @param start may be `sums` */
export function sumColumns(sums: usize, start: usize, packed: usize, k: u32, n: u32): void {
  for (let j: u32 = 0; j < n; j += 8) {
    let left = v128.load(start), right = v128.load(start, 16);
    const end = packed + (<usize>k << 5);
    while (packed < end) {
      left = f32x4.add(left, v128.load(packed));
      right = f32x4.add(right, v128.load(packed, 16));
      packed += 32;
    }
    v128.store(sums, left);
    v128.store(sums, right, 16);
    sums += 32;
    start += 32;
  }
}
