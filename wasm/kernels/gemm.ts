// C = start + A B in tiles of 4 rows x 8 columns: eight accumulators, two vectors of B and one broadcast value
// of A fit the 16 vector registers of x86-64; more rows spill and halve the speed.
//
// A is read by strides, so one kernel serves x w, x^T d and d w^T. B comes in panels of 8 columns (pack.ts).
// Where A's rows lie a value apart, as in x^T d, every term is in another cache line: a tile that many columns of C
// use is copied together first, 7% faster at 256 columns and the same at 64.
// C has rows in multiples of 4 and a row length in multiples of 8, so there are no ragged tiles.

/** What happens to a finished tile on its way to memory. */
export const enum Epilogue {
  None,
  /** `max(0, c)` */
  Relu,
  /** `c` where C held a positive value before, else 0: ReLU's derivative, in place. */
  MaskByC,
}

/** Columns of C from which copying A's tile pays. */
const COPY_COLUMNS: u32 = 128;

/** Terms summed between two visits of C: a panel of 256 x 8 values is 8 KiB, a quarter of a 32 KiB L1 cache. */
const BLOCK: u32 = 256;

/**
 * `C[m, n] = epilogue(start[m, n] + A[m, k] B[k, n])`
 *
 * @param m rows of C, taken as the next multiple of 4: A must be readable and C writable so far
 * @param n columns of C, taken as the next multiple of 8
 * @param aRow bytes from a row of A to the next; `aCol` from a column to the next
 * @param b panels of `pack.ts`: `[n / 8, k, 8]`, with room behind them for a tile of A, 256 x 4 values
 * @param start what is added to: `startRow` bytes from row to row, 0 for one row added to all (a bias);
 * may be C itself
 */
export function multiply(
  m: u32, n: u32, k: u32,
  a: usize, aRow: usize, aCol: usize,
  b: usize,
  start: usize, startRow: usize,
  c: usize, cRow: usize,
  epilogue: Epilogue,
): void {
  const panel: usize = <usize>k << 5;
  // A masked tile must find in C what was there before, so its sum is not split.
  const block = epilogue == Epilogue.MaskByC ? k : BLOCK;
  const copies = aRow == 4 && n >= COPY_COLUMNS && epilogue != Epilogue.MaskByC;
  const copy = b + panel * <usize>((n + 7) >> 3);
  for (let k0: u32 = 0; k0 < k; k0 += block) {
    const depth = min(block, k - k0);
    const last = k0 + depth == k;
    const from = k0 == 0 ? start : c;
    const fromRow = k0 == 0 ? startRow : cRow;
    const then = last ? epilogue : Epilogue.None;
    for (let i: u32 = 0; i < m; i += 4) {
      let aTile = a + <usize>i * aRow + <usize>k0 * aCol;
      if (copies) {
        copyTile(copy, aTile, aCol, depth);
        aTile = copy;
      }
      const aStep: usize = copies ? 16 : aCol;
      let bTile = b + (<usize>k0 << 5);
      for (let j: u32 = 0; j < n; j += 8) {
        const column: usize = <usize>j << 2;
        tile(depth, aTile, aRow, aStep, bTile, from + <usize>i * fromRow + column, fromRow, c + <usize>i * cRow + column, cRow, then);
        bTile += panel;
      }
    }
  }
}

/** Four values of each of `k` columns, one column after another. */
// @ts-ignore: decorator
@inline
function copyTile(to: usize, from: usize, column: usize, k: u32): void {
  const end = to + (<usize>k << 4);
  while (to < end) {
    v128.store(to, v128.load(from));
    to += 16;
    from += column;
  }
}

/** `a b + c`: with one rounding in the relaxed builds on processors that fuse, else with two. */
// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

function tile(
  k: u32,
  a: usize, aRow: usize, aCol: usize,
  b: usize,
  start: usize, startRow: usize,
  c: usize, cRow: usize,
  epilogue: Epilogue,
): void {
  let c00 = v128.load(start), c01 = v128.load(start, 16);
  start += startRow;
  let c10 = v128.load(start), c11 = v128.load(start, 16);
  start += startRow;
  let c20 = v128.load(start), c21 = v128.load(start, 16);
  start += startRow;
  let c30 = v128.load(start), c31 = v128.load(start, 16);
  const a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  // One offset for four rows is 5% faster than four pointers; unrolling makes V8 spill and costs 20%.
  let o: usize = 0;
  const end = b + (<usize>k << 5);
  do {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a + o);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(a1 + o);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(a2 + o);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(a3 + o);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    o += aCol;
    b += 32;
  } while (b < end);
  finish(c, c00, c01, epilogue);
  finish(c + cRow, c10, c11, epilogue);
  finish(c + 2 * cRow, c20, c21, epilogue);
  finish(c + 3 * cRow, c30, c31, epilogue);
}

// @ts-ignore: decorator
@inline
function finish(c: usize, left: v128, right: v128, epilogue: Epilogue): void {
  const zero = f32x4.splat(0);
  if (epilogue == Epilogue.Relu) {
    // pmax(x, 0) is `x < 0 ? 0 : x`: one instruction, and NaN stays NaN, so that divergence shows.
    left = f32x4.pmax(left, zero);
    right = f32x4.pmax(right, zero);
  } else if (epilogue == Epilogue.MaskByC) {
    left = v128.and(left, f32x4.gt(v128.load(c), zero));
    right = v128.and(right, f32x4.gt(v128.load(c, 16), zero));
  }
  v128.store(c, left);
  v128.store(c, right, 16);
}
