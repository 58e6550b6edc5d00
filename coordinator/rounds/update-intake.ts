import { AstroScaleError } from "../../protocol/errors.ts";
import { UpdateMetadata, type UpdateReceipt } from "../../protocol/rounds.ts";
import { decodeSafeTensors, type SafeTensorsFile } from "../../protocol/safetensors.ts";
import { readStatistics } from "../../protocol/statistics.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { flattenWeights } from "../../protocol/weights.ts";
import { euclideanNorm } from "../aggregation/norm.ts";
import { problemsOf } from "../problems.ts";
import type { CohortMember, Round } from "./round.ts";
import type { UpdateEntry } from "./round-record.ts";

/** An update file taken apart, its values not yet judged. */
export interface ReceivedUpdate {
  readonly metadata: UpdateMetadata;
  readonly file: SafeTensorsFile;
}

/**
 * The update in `bytes`.
 *
 * @throws {AstroScaleError} `malformed_safetensors`; `invalid_request` when the metadata are not the schema's
 */
export function readUpdate(bytes: Uint8Array): ReceivedUpdate {
  const file = decodeSafeTensors(bytes);
  const metadata = UpdateMetadata.safeParse(file.metadata);
  if (!metadata.success) {
    throw new AstroScaleError("invalid_request", `update metadata: ${problemsOf(metadata.error)}`);
  }
  return { metadata: metadata.data, file };
}

/**
 * Whether the update is its sender's own, for the task it works on.
 *
 * @throws {AstroScaleError} `forbidden` or `wrong_task`
 */
export function checkSender({ node, task }: UpdateMetadata, nodeId: string, taskId: string): void {
  if (node !== nodeId) {
    throw new AstroScaleError("forbidden", `update names node ${node}, the token is another's`);
  }
  if (task !== taskId) {
    throw new AstroScaleError("wrong_task", `update is for task ${task}, node works on ${taskId}`);
  }
}

/**
 * Whether the update is for the open round and from one of its members.
 *
 * @param baseModel digest of the model that the round trains from; `null` in round 0
 * @returns the sender's place in the cohort
 * @throws {AstroScaleError} `stale_round` with `details.currentRound`, `not_selected`, `duplicate_update` or
 * `base_model_mismatch`
 */
export function checkRound(metadata: UpdateMetadata, round: Round, baseModel: string | null): CohortMember {
  const details = { currentRound: round.number };
  if (metadata.round !== round.number || round.phase === "aggregating" || round.phase === "closed") {
    const now = metadata.round === round.number ? "closed" : `not the open round, which is ${round.number}`;
    throw new AstroScaleError("stale_round", `round ${metadata.round} is ${now}`, { details });
  }
  const member = round.cohort.find(({ nodeId }) => nodeId === metadata.node);
  if (!member) {
    throw new AstroScaleError("not_selected", `node ${metadata.node} is not in round ${round.number}`);
  }
  if (member.sent) {
    throw new AstroScaleError(
      "duplicate_update",
      `node ${metadata.node} has already sent its update for round ${round.number}`,
    );
  }
  if (baseModel !== null && metadata.baseModel !== baseModel) {
    throw new AstroScaleError(
      "base_model_mismatch",
      `update was trained from ${metadata.baseModel ?? "an unnamed model"}, round ${round.number} starts from ${baseModel}`,
      { details },
    );
  }
  return member;
}

/**
 * Whether the values can be aggregated: shapes, finiteness, norm, and no more examples than were handed out.
 *
 * @throws {AstroScaleError} `shape_mismatch`, `non_finite`, `norm_exceeded`, `example_count_exceeded` or
 * `invalid_request`
 */
export function checkPayload(
  { metadata, file }: ReceivedUpdate,
  task: TaskSpec,
  kind: Round["kind"],
  member: CohortMember,
): void {
  if (metadata.exampleCount > member.rows) {
    throw new AstroScaleError(
      "example_count_exceeded",
      `update claims ${metadata.exampleCount} examples, its shards hold ${member.rows}`,
    );
  }
  if (kind === "fit") checkStatistics(file, task, metadata.exampleCount);
  else checkDelta(file, task);
}

function checkStatistics(file: SafeTensorsFile, task: TaskSpec, exampleCount: number): void {
  readStatistics(file, task.features.length).forEach(({ count, missing }, feature) => {
    if (count + missing !== exampleCount) {
      throw new AstroScaleError(
        "invalid_request",
        `feature ${feature}: count ${count} and missing ${missing} do not make ${exampleCount} examples`,
      );
    }
  });
}

function checkDelta(file: SafeTensorsFile, task: TaskSpec): void {
  const delta = flattenWeights(task.model, file);
  const norm = euclideanNorm(delta);
  if (norm > task.rules.maxUpdateNorm) {
    throw new AstroScaleError(
      "norm_exceeded",
      `delta has norm ${norm.toPrecision(6)}, the task allows ${task.rules.maxUpdateNorm}`,
    );
  }
}

/**
 * The receipt for an update of a node and round that have one on disk already.
 *
 * @param earlier what is on disk
 * @param now what came
 * @throws {AstroScaleError} `duplicate_update` under another key; `idempotency_key_reused` with other bytes
 */
export function answerAgain(earlier: UpdateEntry, now: UpdateEntry, metadata: UpdateMetadata): UpdateReceipt {
  const { task, round, node } = metadata;
  if (earlier.idempotencyKey !== now.idempotencyKey) {
    throw new AstroScaleError("duplicate_update", `this node's update for round ${round} is already counted`);
  }
  const { digest } = earlier.participant;
  if (digest !== now.participant.digest) {
    throw new AstroScaleError(
      "idempotency_key_reused",
      `key "${now.idempotencyKey}" was used for file ${digest}, this one is ${now.participant.digest}`,
    );
  }
  return { task, round, node, digest };
}
