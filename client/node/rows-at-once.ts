const MOST_ROWS = 1_024;
const FEWEST_ROWS = 64;

/**
 * The next smaller number of rows to compute at once where memory is short: half of `present`, from
 * `min(batchSize, 1024)` down to 64.
 *
 * @param present `null` when the backend decided so far
 * @returns `null` when there is no smaller one
 */
export function fewerRowsAtOnce(present: number | null, batchSize: number): number | null {
  const most = Math.min(batchSize, MOST_ROWS);
  const from = Math.min(present ?? most, most);
  const fewer = Math.max(FEWEST_ROWS, Math.floor(from / 2));
  return fewer < from ? fewer : null;
}
