import { randomStream, STREAMS, shuffledIndices } from "../../protocol/random.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import { firstShardWord } from "./first-shard-word.ts";

const EPOCHS_PER_ROUND = 1_000; // the most a task may ask for: LocalTraining.localEpochs

/**
 * The order in which a local epoch visits its rows: a permutation of `0 … rows - 1`, the same wherever the same
 * shards are trained in the same round. Drawn from the stream
 * `(plan.seed, STREAMS.shuffle, [round * 1000 + localEpoch, firstShardWord(plan)])`: no node's id enters, so a
 * node that takes over another's shards repeats its work bit for bit.
 *
 * @param localEpoch from 0
 */
export function epochOrder(plan: TrainPlan, localEpoch: number, rows: number): Uint32Array<ArrayBuffer> {
  const index = [plan.round * EPOCHS_PER_ROUND + localEpoch, firstShardWord(plan)] as const;
  return shuffledIndices(rows, randomStream(plan.seed, STREAMS.shuffle, index));
}
