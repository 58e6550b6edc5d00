/** Rounding the scaled entries may lengthen the update by 2^-24 of its norm; the bound then still holds. */
const ROOM_FOR_ROUNDING = 1 - 2 ** -23;

/**
 * The update, scaled down in place to a Euclidean norm of at most `maxNorm`: `delta * min(1, maxNorm / |delta|)`.
 * What one node can contribute, and so what its update can tell of its rows, is bounded by that.
 *
 * @param delta finite; the norm is summed in float64, each entry is scaled once
 * @param maxNorm `null` for no bound
 *
 * Source: McMahan et al. 2018, arXiv:1710.06963, algorithm 1, FlatClip.
 */
export function clipUpdate(delta: Float32Array<ArrayBuffer>, maxNorm: number | null): void {
  if (maxNorm === null) return;
  let squares = 0;
  for (const value of delta) squares += value * value;
  const norm = Math.sqrt(squares);
  if (norm <= maxNorm) return;
  const factor = (maxNorm / norm) * ROOM_FOR_ROUNDING;
  for (const [i, value] of delta.entries()) delta[i] = value * factor;
}
