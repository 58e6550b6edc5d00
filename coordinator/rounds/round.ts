import type { RoundPhase } from "../../protocol/rounds.ts";
import type { RoundRules } from "../../protocol/tasks.ts";
import { type AssignableShard, type Assignment, assignShards } from "./assignment.ts";

/** A node in a round, and whether its update is on disk. */
export interface CohortMember extends Assignment {
  readonly sent: boolean;
}

/** One round's decision state. Plain data: every move is a function from it to the next. */
export interface Round {
  readonly number: number;
  /** Round 0 fits the preprocessing, later rounds train. */
  readonly kind: "fit" | "train";
  readonly phase: RoundPhase;
  readonly cohort: readonly CohortMember[];
  /** Monotonic milliseconds before which it does not open. */
  readonly opensAtMs: number;
  /** Monotonic milliseconds; infinite while waiting. */
  readonly deadlineMs: number;
  /** Deadlines that passed with too few updates. */
  readonly attempts: number;
}

/** What a round is judged against. */
export interface RoundContext {
  readonly rules: RoundRules;
  readonly shards: readonly AssignableShard[];
  /** Nodes that are there now, in order of preference. */
  readonly nodes: readonly string[];
  /** Shard id to the node that had it last. */
  readonly previous: ReadonlyMap<string, string>;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

/** A round that waits for nodes, and until `opensAtMs`. */
export function newRound(number: number, opensAtMs = 0): Round {
  return {
    number,
    kind: number === 0 ? "fit" : "train",
    phase: "waiting",
    cohort: [],
    opensAtMs,
    deadlineMs: Number.POSITIVE_INFINITY,
    attempts: 0,
  };
}

/** The round after `nodeId`'s update reached the disk. Others than members change nothing. */
export function markSent(round: Round, nodeId: string): Round {
  const cohort = round.cohort.map((member) =>
    member.nodeId === nodeId ? { ...member, sent: true } : member,
  );
  return { ...round, cohort };
}

/** Whether `advance` left the round as it was. */
export function isUnmoved(before: Round, after: Round): boolean {
  return (
    before.phase === after.phase &&
    before.attempts === after.attempts &&
    before.cohort.length === after.cohort.length &&
    before.cohort.every((member, at) => member === after.cohort[at])
  );
}

/** How many updates are on disk. */
export function sentCount(round: Round): number {
  return round.cohort.filter(({ sent }) => sent).length;
}

/**
 * The round as it stands after any join, leave, update or passage of time. Idempotent.
 *
 * - `waiting` becomes `collecting` when `minNodes` are there and its time has come.
 * - `collecting`: members that left without an update lose their shards to nodes that have no work; the round
 *   becomes `aggregating` when nobody is awaited and `minNodes` updates are there (a fit round also wants
 *   every shard covered), or at the deadline with `minNodes` updates. A deadline with fewer drops the
 *   stragglers, keeps what was sent and begins another attempt.
 *
 * Never waits for a node that is gone. Source: Bonawitz et al. 2019, arXiv:1902.01046, section 2.2.
 */
export function advance(round: Round, context: RoundContext): Round {
  switch (round.phase) {
    case "waiting":
      return mayOpen(round, context) ? open(round, context) : round;
    case "collecting":
      return collect(round, context);
    case "aggregating":
    case "closed":
      return round;
  }
}

function mayOpen(round: Round, { nodes, rules, nowMs }: RoundContext): boolean {
  return nodes.length >= rules.minNodes && nowMs >= round.opensAtMs;
}

function open(round: Round, context: RoundContext): Round {
  const { rules, shards, nodes, previous, nowMs } = context;
  const chosen = nodes.slice(0, rules.maxNodes);
  const cohort = assignShards(shards, chosen, previous).map((member) => ({ ...member, sent: false }));
  return { ...round, phase: "collecting", cohort, deadlineMs: nowMs + rules.roundDeadlineSecs * 1000 };
}

function collect(round: Round, context: RoundContext): Round {
  const { rules, nowMs } = context;
  const overdue = nowMs >= round.deadlineMs;
  const enough = sentCount(round) >= rules.minNodes;
  if (overdue && enough) return { ...round, phase: "aggregating" };
  if (overdue) {
    const kept = round.cohort.filter(({ sent }) => sent);
    const cohort = [...kept, ...adopt(kept, context)];
    const deadlineMs = nowMs + rules.roundDeadlineSecs * 1000;
    return { ...round, cohort, deadlineMs, attempts: round.attempts + 1 };
  }
  const here = round.cohort.filter(({ sent, nodeId }) => sent || context.nodes.includes(nodeId));
  const cohort = [...here, ...adopt(here, context)];
  const covered = cohort.reduce((count, { shards }) => count + shards.length, 0) === context.shards.length;
  const done = cohort.every(({ sent }) => sent) && enough && (round.kind === "train" || covered);
  return { ...round, cohort, phase: done ? "aggregating" : "collecting" };
}

/** New members for the shards that no member of `cohort` has, from the nodes that are in none. */
function adopt(cohort: readonly CohortMember[], context: RoundContext): CohortMember[] {
  const taken = new Set(cohort.flatMap(({ shards }) => shards));
  const members = new Set(cohort.map(({ nodeId }) => nodeId));
  const orphans = context.shards.filter(({ id }) => !taken.has(id));
  const free = context.nodes
    .filter((nodeId) => !members.has(nodeId))
    .slice(0, Math.max(0, context.rules.maxNodes - cohort.length));
  return assignShards(orphans, free, context.previous).map((member) => ({ ...member, sent: false }));
}

/** Why the round does not move, in words for people; `null` while it does. */
export function waitingReason(round: Round, nodes: number, rules: RoundRules): string | null {
  if (round.phase === "waiting" && nodes < rules.minNodes) {
    return `waiting for nodes: ${nodes} of ${rules.minNodes} are here`;
  }
  const sent = sentCount(round);
  if (round.phase === "collecting" && sent === round.cohort.length && sent < rules.minNodes) {
    return `waiting for another node: ${sent} of ${rules.minNodes} updates are here`;
  }
  return null;
}
