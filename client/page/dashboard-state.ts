import type { ErrorCode } from "../../protocol/errors.ts";
import type { CampaignEvent } from "../../protocol/events.ts";
import type { NodeStatus } from "../../protocol/nodes.ts";
import type { CoordinatorStatus } from "../../protocol/replies.ts";
import type { RoundStatus } from "../../protocol/rounds.ts";
import type { TaskStatus } from "../../protocol/tasks.ts";

/** One refused update, as it was heard of. */
export interface Rejection {
  /** Grows by one with every rejection heard of. */
  readonly serial: number;
  readonly atMs: number;
  readonly task: string;
  readonly nodeId: string | null;
  readonly name: string | null;
  readonly code: ErrorCode;
  readonly message: string;
}

/** When this page saw a round open; unknown for a round that was open before the page was. */
export interface RoundOpening {
  readonly round: number;
  readonly attempts: number;
  readonly atMs: number;
}

/** Everything the dashboard shows; a plain value, replaced whole at every change. */
export interface DashboardState {
  readonly tasks: readonly TaskStatus[];
  readonly nodes: readonly NodeStatus[];
  /** Rounds by task, ascending by number; only tasks whose history was read have an entry. */
  readonly rounds: ReadonlyMap<string, readonly RoundStatus[]>;
  readonly openings: ReadonlyMap<string, RoundOpening>;
  /** Newest first, at most `KEPT_REJECTIONS`. */
  readonly rejections: readonly Rejection[];
}

/** What `GET /federated/rounds` answers for one task. */
export interface RoundHistory {
  readonly task: string;
  readonly rounds: readonly RoundStatus[];
}

/** How many rejections stay listed. */
export const KEPT_REJECTIONS = 50;

/** Before anything is known. */
export const NOTHING_KNOWN: DashboardState = {
  tasks: [],
  nodes: [],
  rounds: new Map(),
  openings: new Map(),
  rejections: [],
};

/** The state after `GET /status`: its tasks and nodes replace those known. */
export function afterStatus(state: DashboardState, status: CoordinatorStatus): DashboardState {
  return { ...state, tasks: status.tasks, nodes: status.nodes.list };
}

/** The state after `GET /federated/rounds`: the list replaces what was known of that task. */
export function afterRounds(state: DashboardState, list: RoundHistory): DashboardState {
  const rounds = list.rounds.toSorted((a, b) => a.round - b.round);
  return { ...state, rounds: new Map(state.rounds).set(list.task, rounds) };
}

/** The state after one event heard at `nowMs`. `reset` changes nothing: what follows it is read anew. */
export function afterEvent(state: DashboardState, event: CampaignEvent, nowMs: number): DashboardState {
  switch (event.kind) {
    case "task":
      return { ...state, tasks: replaced(state.tasks, event.task, ({ task }) => task.id) };
    case "node":
      return { ...state, nodes: replaced(state.nodes, event.node, ({ nodeId }) => nodeId) };
    case "node-left":
      return { ...state, nodes: state.nodes.filter(({ nodeId }) => nodeId !== event.nodeId) };
    case "round":
      return afterRound(state, event.round, nowMs);
    case "update-rejected": {
      const { kind: _, ...rest } = event;
      const rejection = { ...rest, serial: (state.rejections[0]?.serial ?? 0) + 1, atMs: nowMs };
      return { ...state, rejections: [rejection, ...state.rejections].slice(0, KEPT_REJECTIONS) };
    }
    case "reset":
      return state;
  }
}

function afterRound(state: DashboardState, round: RoundStatus, nowMs: number): DashboardState {
  const known = state.rounds.get(round.task);
  if (known === undefined) return state;
  const before = known.find((other) => other.round === round.round);
  const opened =
    round.phase === "collecting" && (before?.phase !== "collecting" || before.attempts !== round.attempts);
  const openings = opened
    ? new Map(state.openings).set(round.task, { round: round.round, attempts: round.attempts, atMs: nowMs })
    : state.openings;
  const others = known.filter((other) => other.round !== round.round);
  const at = others.findLastIndex((other) => other.round < round.round) + 1;
  return {
    ...state,
    openings,
    rounds: new Map(state.rounds).set(round.task, others.toSpliced(at, 0, round)),
  };
}

/** `items` with the one of the same key replaced in place, or the new one at the end. */
function replaced<T>(items: readonly T[], item: T, key: (item: T) => string): readonly T[] {
  const at = items.findIndex((other) => key(other) === key(item));
  return at < 0 ? [...items, item] : items.with(at, item);
}
