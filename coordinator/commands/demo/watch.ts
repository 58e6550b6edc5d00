import { AstroScaleError } from "../../../protocol/errors.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { NodePool } from "../../headless/node-pool.ts";
import type { NodeSummary } from "../../headless/node-record.ts";
import type { Sleep } from "../../headless/sleep.ts";
import type { CoordinatorApi } from "../coordinator-api.ts";
import { Interrupted } from "../process/interruption.ts";
import type { Terminal } from "../process/terminal.ts";
import { roundLine } from "./lines.ts";
import { demoRounds } from "./report.ts";

/** A demo's task and the one that gives its centralised score. */
export interface DemoTasks {
  readonly task: TaskStatus;
  readonly baseline: TaskStatus;
}

/** What a demo asks its coordinator. */
export type DemoApi = Pick<CoordinatorApi, "tasks" | "rounds">;

/** What a demo is watched through. */
export interface Watch {
  readonly api: DemoApi;
  readonly pool: Pick<NodePool, "summaries">;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly sleep: Sleep;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** Name of the node that trains alone on every shard. */
export const CENTRAL = "central";

const LOOK_MS = 500;
/** Five times the bundled task's round deadline. */
const STALL_LIMIT_MS = 10 * 60_000;

/** The coordinator's first task and its baseline. @throws {AstroScaleError} `not_found` when it has none */
export async function demoTasks(api: DemoApi): Promise<DemoTasks> {
  const { tasks } = await api.tasks();
  const task = tasks.find((status) => status.task.baselineOf === null);
  const baseline = tasks.find((status) => status.task.baselineOf === task?.task.id);
  if (task && baseline) return { task, baseline };
  throw new AstroScaleError("not_found", "the coordinator has no task with a baseline");
}

/**
 * Tells of each round that closes, until the task and its baseline have finished.
 *
 * @returns both as they ended
 * @throws {AstroScaleError} the code of a node without which the tasks cannot end; `request_timeout` when no
 * round closes for 10 minutes
 * @throws {Interrupted} when the signal aborts
 */
export async function untilFinished(watch: Watch): Promise<DemoTasks> {
  const { api, pool, terminal, signal, sleep, nowMs } = watch;
  let told = 0;
  let place = "";
  let movedMs = nowMs();
  for (;;) {
    const summaries = pool.summaries();
    const tasks = await demoTasks(api);
    told = await tellRounds(api, tasks.task, told, terminal);
    if (isFinished(tasks)) return tasks;
    refuseLost(summaries, tasks);
    if (place !== placeOf(tasks)) movedMs = nowMs();
    place = placeOf(tasks);
    if (nowMs() - movedMs > STALL_LIMIT_MS) {
      throw new AstroScaleError("request_timeout", `no round closed for 10 minutes: ${place}`);
    }
    terminal.progress(place);
    await sleep(LOOK_MS, signal);
    if (signal.aborted) throw new Interrupted(`interrupted: ${place}`);
  }
}

function isFinished({ task, baseline }: DemoTasks): boolean {
  return task.state === "finished" && baseline.state === "finished";
}

function placeOf({ task, baseline }: DemoTasks): string {
  const { rounds } = task.task.rules;
  return `federated round ${task.round} of ${rounds}, centralised round ${baseline.round} of ${rounds}`;
}

/** Prints the training rounds after `told` that have closed. @returns the last one printed */
async function tellRounds(
  api: DemoApi,
  { task, state, round }: TaskStatus,
  told: number,
  terminal: Terminal,
): Promise<number> {
  const lastClosed = state === "finished" ? task.rules.rounds : round - 1;
  if (lastClosed <= told) return told;
  const { rounds } = await api.rounds(task.id);
  const closed = demoRounds(rounds).filter(({ round: number }) => number > told);
  for (const each of closed) {
    terminal.print(roundLine(each, task.rules.rounds));
    const { withheld } = rounds.find(({ round: number }) => number === each.round) ?? { withheld: null };
    if (withheld !== null) terminal.print(`  its aggregate was withheld: ${withheld}`);
  }
  return closed.at(-1)?.round ?? told;
}

/**
 * Fails when too few nodes are left for a task that has not finished.
 *
 * @throws {AstroScaleError} with the code of a node that was given up
 */
function refuseLost(summaries: readonly NodeSummary[], { task, baseline }: DemoTasks): void {
  const left = (central: boolean): number =>
    summaries.filter((node) => (node.name === CENTRAL) === central && !isOver(node)).length;
  const federatedLost = task.state !== "finished" && left(false) < task.task.rules.minNodes;
  const centralLost = baseline.state !== "finished" && left(true) === 0;
  if (!federatedLost && !centralLost) return;
  const lost = summaries.find(({ name, error }) => error !== null && (name === CENTRAL) === !federatedLost);
  const whose = federatedLost ? task.task.id : baseline.task.id;
  const reason = lost?.error ? `${lost.name} was given up: ${lost.error.message}` : "its nodes have left";
  throw new AstroScaleError(lost?.error?.code ?? "internal", `task ${whose} cannot end: ${reason}`);
}

function isOver({ phase, error }: NodeSummary): boolean {
  return error !== null || phase === "stopped" || phase === "finished";
}
