import type { TrainPlan } from "../../protocol/rounds.ts";

/**
 * `fnv1a("catalog/shard")` of the plan's first shard, an unsigned 32-bit integer: tells the random streams of
 * nodes with different shards apart. FNV-1a of ASCII text.
 *
 * Source: Fowler, Noll and Vo, RFC 9923.
 */
export function firstShardWord({ shards: [first] }: Pick<TrainPlan, "shards">): number {
  const text = first === undefined ? "" : `${first.catalog}/${first.id}`;
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
