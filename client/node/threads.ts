/** A big machine's owner may give more than this, but has to say so. */
const MOST_BY_DEFAULT = 8;

/**
 * Threads of the processor that a node computes with: what the volunteer chose, at most all; without a choice
 * all but one, so that the machine stays usable, and at most 8.
 *
 * @param chosen `null` for no choice
 * @param cores `navigator.hardwareConcurrency`
 */
export function threadsToUse(chosen: number | null, cores: number): number {
  const wanted = chosen ?? Math.min(cores - 1, MOST_BY_DEFAULT);
  return Math.max(1, Math.min(wanted, cores));
}
