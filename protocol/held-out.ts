const KNUTH = 2654435761; // multiplicative hashing, TAOCP vol. 3, 6.4
const HELD_OUT_FRACTION = 0.2;

/**
 * Whether a row is held out for evaluation: `hash(i) < 0.2`, by the row's 0-based index in its file.
 * Held-out rows stay at the coordinator and are in no shard.
 */
export function isHeldOut(rowIndex: number): boolean {
  return (Math.imul(rowIndex, KNUTH) >>> 0) / 2 ** 32 < HELD_OUT_FRACTION;
}
