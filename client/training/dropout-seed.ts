import { randomStream, STREAMS } from "../../protocol/random.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import { firstShardWord } from "./first-shard-word.ts";

/**
 * Seed of a round's dropout masks, the same wherever the same shards are trained in the same round: the first
 * word of the stream `(plan.seed, STREAMS.dropout, [round, firstShardWord(plan)])`.
 */
export function dropoutSeed(plan: TrainPlan): number {
  return randomStream(plan.seed, STREAMS.dropout, [plan.round, firstShardWord(plan)])();
}
