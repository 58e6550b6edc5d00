import { randomStream, STREAMS, shuffledIndices } from "../../protocol/random.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";

const EPOCHS_PER_ROUND = 1_000; // the most a task may ask for: LocalTraining.localEpochs

/**
 * The order in which a local epoch visits its rows: a permutation of `0 … rows - 1`, the same wherever the same
 * shards are trained in the same round. Drawn from the stream
 * `(plan.seed, STREAMS.shuffle, [round * 1000 + localEpoch, fnv1a("catalog/shard")])` of the plan's first shard:
 * no node's id enters, so a node that takes over another's shards repeats its work bit for bit.
 *
 * @param localEpoch from 0
 */
export function epochOrder(plan: TrainPlan, localEpoch: number, rows: number): Uint32Array<ArrayBuffer> {
  const [first] = plan.shards;
  const shard = fnv1a(first === undefined ? "" : `${first.catalog}/${first.id}`);
  const index = [plan.round * EPOCHS_PER_ROUND + localEpoch, shard] as const;
  return shuffledIndices(rows, randomStream(plan.seed, STREAMS.shuffle, index));
}

/** FNV-1a of ASCII text, 32 bits. Source: Fowler, Noll and Vo, RFC 9923. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
