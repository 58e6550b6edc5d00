import type { Shard } from "../../protocol/catalogs.ts";
import type { NoPlan, RoundPlan } from "../../protocol/rounds.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { type Round, sentCount, waitingReason } from "./round.ts";
import type { GlobalModel } from "./round-result.ts";

/** What a plan is made from. */
export interface PlanMaterials {
  readonly task: TaskSpec;
  readonly round: Round;
  readonly shards: readonly Shard[];
  /** Global model after the round before; `null` in round 0. */
  readonly model: GlobalModel | null;
  readonly finished: boolean;
  readonly presentNodes: number;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

const RETRY_SECS = 2;

/** What `nodeId` is to do now, or why there is nothing to do. */
export function planFor(nodeId: string, materials: PlanMaterials): RoundPlan | NoPlan {
  const { task, round, finished } = materials;
  if (finished) return { retryAfterSecs: 0, reason: "the task is finished", finished: true };
  const member = round.cohort.find((entry) => entry.nodeId === nodeId);
  if (round.phase !== "collecting" || !member || member.sent) {
    const reason = idleReason(materials, member?.sent ?? false);
    return { retryAfterSecs: RETRY_SECS, reason, finished: false };
  }
  const base = {
    task: task.id,
    round: round.number,
    deadlineSecs: Math.max(0, round.deadlineMs - materials.nowMs) / 1000,
    shards: materials.shards.filter(({ id }) => member.shards.includes(id)),
    features: task.features,
  };
  const { model } = materials;
  if (round.kind === "fit" || !model) return { kind: "fit", ...base };
  return {
    kind: "train",
    ...base,
    rounds: task.rules.rounds,
    baseModel: model.digest,
    model: task.model,
    label: task.label,
    preprocessing: model.preprocessing,
    training: task.training,
    seed: task.seed,
  };
}

function idleReason({ task, round, presentNodes, nowMs }: PlanMaterials, sent: boolean): string {
  const stuck = waitingReason(round, presentNodes, task.rules);
  if (stuck) return stuck;
  if (round.phase === "waiting") {
    const seconds = Math.max(1, Math.ceil((round.opensAtMs - nowMs) / 1000));
    return `round ${round.number} opens in ${seconds} s`;
  }
  if (round.phase !== "collecting") return `round ${round.number} is being aggregated`;
  const progress = `${sentCount(round)} of ${round.cohort.length} updates are here`;
  if (sent) return `round ${round.number}: your update is counted, ${progress}`;
  return `round ${round.number} has all the nodes it can use, the next one may need you`;
}
