// Statistics of columns that survive any offset: float64 sums of differences from a value of the column, over
// chunks of rows, merged by Chan's formula.

/** Sums of at most 1024 terms in float64 err by less than 2^-42 of the sum of magnitudes. */
const CHUNK: u32 = 1024;
const LANES = 4;
/** count, missing, mean, m2, min, max */
const RECORD: usize = 48;

/** Where the lanes of a chunk's sums are put, to be read one by one. */
const sums = memory.data(64, 16);
const squares = memory.data(64, 16);
const shifts = memory.data(16, 16);
const counts = memory.data(16, 16);
const lows = memory.data(16, 16);
const highs = memory.data(16, 16);

/**
 * For every column: count of values, count of NaN, mean, `sum (x - mean)^2`, smallest, largest.
 *
 * @param x f32 `[rows, cols]`
 * @param statistics f64 `[cols, 6]`; no values give mean 0, m2 0, min infinite, max minus infinite
 */
export function moments(x: usize, rows: u32, cols: u32, statistics: usize): void {
  const row: usize = <usize>cols << 2;
  for (let c: u32 = 0; c < cols; c++) clear(statistics + <usize>c * RECORD);
  for (let at: u32 = 0; at < rows; at += CHUNK) {
    const count = min(CHUNK, rows - at);
    const chunk = x + <usize>at * row;
    for (let c: u32 = 0; c < cols; c += LANES) {
      const lanes = min<u32>(LANES, cols - c);
      chooseShifts(chunk + (<usize>c << 2), row, count, lanes);
      sumChunk(chunk + (<usize>c << 2), row, count);
      for (let lane: u32 = 0; lane < lanes; lane++) merge(statistics + <usize>(c + lane) * RECORD, lane, count);
    }
  }
}

function clear(record: usize): void {
  store<f64>(record, 0);
  store<f64>(record, 0, 8);
  store<f64>(record, 0, 16);
  store<f64>(record, 0, 24);
  store<f64>(record, Infinity, 32);
  store<f64>(record, -Infinity, 40);
}

/** The first value of each column that is not missing, or 0. */
function chooseShifts(x: usize, row: usize, rows: u32, lanes: u32): void {
  for (let lane: u32 = 0; lane < lanes; lane++) {
    let at = x + (<usize>lane << 2);
    const end = at + <usize>rows * row;
    while (at < end && isNaN(load<f32>(at))) at += row;
    store<f32>(shifts + (<usize>lane << 2), at < end ? load<f32>(at) : 0);
  }
}

/** Sums over four neighbouring columns; those beyond the matrix's last are summed too and not used. */
function sumChunk(x: usize, row: usize, rows: u32): void {
  const shift = v128.load(shifts);
  const shiftLow = f64x2.promote_low_f32x4(shift);
  const shiftHigh = f64x2.promote_low_f32x4(v128.shuffle<f32>(shift, shift, 2, 3, 2, 3));
  let count = i32x4.splat(0);
  let low = f32x4.splat(Infinity), high = f32x4.splat(-Infinity);
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0), q0 = f64x2.splat(0), q1 = f64x2.splat(0);
  for (let r: u32 = 0; r < rows; r++) {
    const values = v128.load(x);
    const present = f32x4.eq(values, values);
    count = i32x4.sub(count, present);
    low = f32x4.pmin(low, v128.bitselect(values, low, present));
    high = f32x4.pmax(high, v128.bitselect(values, high, present));
    // A missing value takes the place of the shift: it adds 0.
    const whole = v128.bitselect(values, shift, present);
    const d0 = f64x2.sub(f64x2.promote_low_f32x4(whole), shiftLow);
    const d1 = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<f32>(whole, whole, 2, 3, 2, 3)), shiftHigh);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
    x += row;
  }
  v128.store(counts, count);
  v128.store(lows, low);
  v128.store(highs, high);
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(squares, q0);
  v128.store(squares, q1, 16);
}

/**
 * Adds a chunk's column to its record: with `n`, `S`, `Q` the chunk's count and shifted sums,
 * `mean_b = shift + S / n; m2_b = Q - S^2 / n`, then `d = mean_b - mean; mean += d n / N; m2 += m2_b + d^2 n_a n / N`.
 *
 * Source: Chan, Golub and LeVeque 1983, eq. 2.1.
 */
function merge(record: usize, lane: u32, rows: u32): void {
  const word: usize = <usize>lane << 2, double: usize = <usize>lane << 3;
  const present = load<i32>(counts + word);
  store<f64>(record, load<f64>(record, 8) + <f64>(<i32>rows - present), 8);
  if (present == 0) return;
  const n = <f64>present;
  const sum = load<f64>(sums + double);
  const mean = <f64>load<f32>(shifts + word) + sum / n;
  const m2 = max<f64>(0, load<f64>(squares + double) - sum * sum / n);
  const before = load<f64>(record);
  const total = before + n;
  const difference = before == 0 ? 0 : mean - load<f64>(record, 16);
  store<f64>(record, total);
  store<f64>(record, before == 0 ? mean : load<f64>(record, 16) + difference * n / total, 16);
  store<f64>(record, load<f64>(record, 24) + m2 + difference * difference * before * n / total, 24);
  store<f64>(record, min<f64>(load<f64>(record, 32), <f64>load<f32>(lows + word)), 32);
  store<f64>(record, max<f64>(load<f64>(record, 40), <f64>load<f32>(highs + word)), 40);
}
