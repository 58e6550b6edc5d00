import * as z from "zod";
import { FittedPreprocessing } from "../../protocol/preprocessing.ts";
import { Participant, RoundStatus, type UpdateMetadata } from "../../protocol/rounds.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { newRound, type Round } from "./round.ts";

/** A round as the store keeps it: the decision state without its clock, and what history shows. */
export const RoundRecord = z.strictObject({
  status: RoundStatus,
  cohort: z.array(
    z.strictObject({ nodeId: z.string(), shards: z.array(z.string()), rows: z.int().nonnegative() }),
  ),
  /** Wall clock, for `seconds` across a restart. */
  openedAtMs: z.number().nullable(),
  /** Made by round 0. */
  preprocessing: FittedPreprocessing.nullable(),
});
export type RoundRecord = z.infer<typeof RoundRecord>;

/** What the log keeps of an accepted update; its file is the blob `participant.digest`. */
export const UpdateEntry = z.strictObject({
  idempotencyKey: z.string(),
  bytes: z.int().positive(),
  participant: Participant,
});
export type UpdateEntry = z.infer<typeof UpdateEntry>;

/** The record of a round that waits for nodes. */
export function newRoundRecord(task: TaskSpec, number: number): RoundRecord {
  const { kind, phase } = newRound(number);
  return {
    status: {
      task: task.id,
      round: number,
      kind,
      phase,
      attempts: 0,
      cohort: 0,
      participants: [],
      examples: 0,
      loss: null,
      score: null,
      seconds: null,
      bytesUp: 0,
      bytesDown: 0,
      rejected: {},
      model: null,
      withheld: null,
    },
    cohort: [],
    openedAtMs: null,
    preprocessing: null,
  };
}

/** The decision state of a record: members whose update is in the log have sent, the deadline starts anew. */
export function resumeRound(
  { status, cohort }: RoundRecord,
  entries: readonly UpdateEntry[],
  deadlineMs: number,
): Round {
  const sent = new Set(entries.map(({ participant }) => participant.nodeId));
  return {
    number: status.round,
    kind: status.kind,
    phase: status.phase,
    cohort: cohort.map((member) => ({ ...member, sent: sent.has(member.nodeId) })),
    opensAtMs: 0,
    deadlineMs: status.phase === "collecting" ? deadlineMs : Number.POSITIVE_INFINITY,
    attempts: status.attempts,
  };
}

/** What history shows of an update. */
export function participantOf(metadata: UpdateMetadata, name: string, digest: string): Participant {
  return {
    nodeId: metadata.node,
    name,
    backend: metadata.backend,
    exampleCount: metadata.exampleCount,
    loss: metadata.loss ?? null,
    examplesPerSecond: metadata.examplesPerSecond ?? null,
    digest,
  };
}

/** A round's status as `round` and the updates on disk have it; what they do not tell is kept. */
export function openStatus(status: RoundStatus, round: Round, entries: readonly UpdateEntry[]): RoundStatus {
  const participants = entries.map(({ participant }) => participant);
  return {
    ...status,
    phase: round.phase,
    attempts: round.attempts,
    cohort: round.cohort.length,
    participants,
    examples: participants.reduce((sum, { exampleCount }) => sum + exampleCount, 0),
    loss: meanLoss(participants),
    bytesUp: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Example-weighted mean of the training losses that nodes reported; `null` when none did. */
function meanLoss(participants: readonly Participant[]): number | null {
  let sum = 0;
  let examples = 0;
  for (const { loss, exampleCount } of participants) {
    if (loss === null) continue;
    sum += loss * exampleCount;
    examples += exampleCount;
  }
  return examples === 0 ? null : sum / examples;
}
