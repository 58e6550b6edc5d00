import type { NodeStatus } from "../../protocol/nodes.ts";
import type { RoundStatus } from "../../protocol/rounds.ts";
import type { TaskStatus } from "../../protocol/tasks.ts";
import type { DashboardState } from "./dashboard-state.ts";

/** Tasks that are campaigns of their own: those that are no baseline of another. */
export function campaigns(state: DashboardState): readonly TaskStatus[] {
  return state.tasks.filter(({ task }) => task.baselineOf === null);
}

/** The chosen campaign; without a choice, or with one that is gone, the first that runs, else the first. */
export function selectedCampaign(state: DashboardState, chosen: string | null): TaskStatus | null {
  const list = campaigns(state);
  const byId = list.find(({ task }) => task.id === chosen);
  return byId ?? list.find((status) => status.state === "running") ?? list[0] ?? null;
}

/** The task that trains one node alone on every shard, as the reference of `campaign`; `null` without one. */
export function baselineTask(state: DashboardState, campaign: string): TaskStatus | null {
  return state.tasks.find(({ task }) => task.baselineOf === campaign) ?? null;
}

/** Nodes of a task, those that compute first, then by name. */
export function nodesOf(state: DashboardState, task: string): readonly NodeStatus[] {
  const order = (node: NodeStatus): number => (node.state === "lost" ? 1 : 0);
  return state.nodes
    .filter((node) => node.task === task)
    .toSorted((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
}

/** Sums over a campaign. */
export interface CampaignTotals {
  readonly connected: number;
  readonly lost: number;
  /** Sum over connected nodes of their last local epoch; `null` before the first. */
  readonly examplesPerSecond: number | null;
  readonly examples: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Refused updates by error code, the most frequent first. */
  readonly rejected: readonly (readonly [code: string, count: number])[];
}

/** Sums over the rounds and nodes of a campaign. */
export function totalsOf(nodes: readonly NodeStatus[], rounds: readonly RoundStatus[]): CampaignTotals {
  const connected = nodes.filter((node) => node.state !== "lost");
  const rates = connected.flatMap((node) =>
    node.examplesPerSecond === null || node.state === "paused" ? [] : [node.examplesPerSecond],
  );
  const rejected = new Map<string, number>();
  for (const round of rounds) {
    for (const [code, count] of Object.entries(round.rejected)) {
      rejected.set(code, (rejected.get(code) ?? 0) + count);
    }
  }
  return {
    connected: connected.length,
    lost: nodes.length - connected.length,
    examplesPerSecond: rates.length === 0 ? null : sum(rates),
    examples: sum(rounds.map((round) => round.examples)),
    bytesUp: sum(rounds.map((round) => round.bytesUp)),
    bytesDown: sum(rounds.map((round) => round.bytesDown)),
    rejected: [...rejected].toSorted(([, a], [, b]) => b - a),
  };
}

/** Training rounds that are closed, ascending. */
export function closedRounds(rounds: readonly RoundStatus[]): readonly RoundStatus[] {
  return rounds.filter((round) => round.kind === "train" && round.phase === "closed");
}

/** Middle of the last 15 closed rounds' wall times in seconds; `null` before the first. */
export function typicalSeconds(rounds: readonly RoundStatus[]): number | null {
  const recent = closedRounds(rounds).slice(-15);
  const seconds = recent.flatMap((round) => round.seconds ?? []).toSorted((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)] ?? null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
