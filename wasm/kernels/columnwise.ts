// What changes a row-major matrix in place, column by column. Four rows of any width are whole vectors: `width`
// of them. So the caller repeats a row vector four times (`tile`), and matrix and tile are read side by side.
// The last vectors may reach past the matrix; every allocation is a multiple of 16 bytes.

/** `x[r,c] = isNaN(x[r,c]) ? fill[c] : x[r,c]` @param tile fill, four times over */
export function impute(x: usize, rows: u32, cols: u32, tile: usize): void {
  const end = x + (<usize>rows * cols << 2);
  const period: usize = <usize>cols << 4;
  while (x < end) {
    const stop = min(end, x + period);
    for (let t = tile; x < stop; t += 16) {
      const values = v128.load(x);
      v128.store(x, v128.bitselect(v128.load(t), values, f32x4.ne(values, values)));
      x += 16;
    }
  }
}

/** `x[r,c] = (x[r,c] - mean[c]) * invStd[c]` @param meanTile mean, four times over; `invStdTile` alike */
export function standardise(x: usize, rows: u32, cols: u32, meanTile: usize, invStdTile: usize): void {
  const end = x + (<usize>rows * cols << 2);
  const period: usize = <usize>cols << 4;
  while (x < end) {
    const stop = min(end, x + period);
    for (let t: usize = 0; x < stop; t += 16) {
      const centred = f32x4.sub(v128.load(x), v128.load(meanTile + t));
      v128.store(x, f32x4.mul(centred, v128.load(invStdTile + t)));
      x += 16;
    }
  }
}
