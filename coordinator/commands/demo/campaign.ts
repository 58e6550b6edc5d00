import { AstroScaleError } from "../../../protocol/errors.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import { type NodePool, nodeOrders } from "../../headless/node-pool.ts";
import type { NodeSummary } from "../../headless/node-record.ts";
import { systemSleep } from "../../headless/sleep.ts";
import { type CoordinatorApi, coordinatorApi } from "../coordinator-api.ts";
import { openHeadlessNodes } from "../headless-nodes.ts";
import { Interrupted } from "../interruption.ts";
import { nodeLine } from "../node-lines.ts";
import type { DemoOptions } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { roundLine } from "./lines.ts";
import { type DemoReport, demoReport, demoRound } from "./report.ts";

/** A demo's task and the one that gives its centralised score. */
interface Tasks {
  readonly task: TaskStatus;
  readonly baseline: TaskStatus;
}

interface Watcher {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

const LOOK_MS = 500;
/** Five times the bundled task's round deadline. */
const STALL_LIMIT_MS = 10 * 60_000;
const CENTRAL = "central";

/**
 * Runs the coordinator's first task and its baseline to their ends with headless nodes, telling of each round.
 *
 * @throws {AstroScaleError} `chromium_missing`; the code of a node without which the tasks cannot end;
 * `request_timeout` when no round closes for 10 minutes
 * @throws {Interrupted} when the signal aborts
 */
export async function runCampaign(
  coordinator: string,
  { nodes, backend }: DemoOptions,
  watcher: Watcher,
): Promise<DemoReport> {
  const { terminal, signal } = watcher;
  const api = coordinatorApi(coordinator);
  const { task, baseline } = await demoTasks(api);
  const { id, title, rules } = task.task;
  terminal.print(`${title} ${rules.rounds} rounds, ${nodes} nodes, and one for the centralised run`);
  const pool = await openHeadlessNodes({
    coordinator,
    backend,
    nodes: [...nodeOrders("headless", nodes, id), { name: CENTRAL, task: baseline.task.id }],
    onEvent: (event) => terminal.print(nodeLine(event)),
    report: terminal.print,
    signal,
  });
  try {
    const ended = await untilFinished(api, pool, watcher);
    const { rounds } = await api.rounds(id);
    const federated = pool.summaries().filter(({ name }) => name !== CENTRAL);
    return demoReport(id, rounds, { central: ended.baseline.score, nodes: federated });
  } finally {
    await pool.stop();
  }
}

async function demoTasks(api: CoordinatorApi): Promise<Tasks> {
  const { tasks } = await api.tasks();
  const task = tasks.find((status) => status.task.baselineOf === null);
  const baseline = tasks.find((status) => status.task.baselineOf === task?.task.id);
  if (task && baseline) return { task, baseline };
  throw new AstroScaleError("not_found", "the coordinator has no task with a baseline");
}

async function untilFinished(
  api: CoordinatorApi,
  pool: NodePool,
  { terminal, signal }: Watcher,
): Promise<Tasks> {
  let told = 0;
  let place = "";
  let movedMs = performance.now();
  for (;;) {
    const summaries = pool.summaries();
    const tasks = await demoTasks(api);
    told = await tellRounds(api, tasks.task, told, terminal);
    if (isFinished(tasks)) return tasks;
    refuseLost(summaries, tasks);
    if (place !== placeOf(tasks)) movedMs = performance.now();
    place = placeOf(tasks);
    if (performance.now() - movedMs > STALL_LIMIT_MS) {
      throw new AstroScaleError("request_timeout", `no round closed for 10 minutes: ${place}`);
    }
    terminal.progress(place);
    await systemSleep(LOOK_MS, signal);
    if (signal.aborted) throw new Interrupted(`interrupted: ${place}`);
  }
}

function isFinished({ task, baseline }: Tasks): boolean {
  return task.state === "finished" && baseline.state === "finished";
}

function placeOf({ task, baseline }: Tasks): string {
  const { rounds } = task.task.rules;
  return `federated round ${task.round} of ${rounds}, centralised round ${baseline.round} of ${rounds}`;
}

/** Prints the training rounds after `told` that have closed. @returns the last one printed */
async function tellRounds(
  api: CoordinatorApi,
  { task, state, round }: TaskStatus,
  told: number,
  terminal: Terminal,
): Promise<number> {
  const lastClosed = state === "finished" ? task.rules.rounds : round - 1;
  if (lastClosed <= told) return told;
  const { rounds } = await api.rounds(task.id);
  const closed = rounds.filter(
    ({ kind, phase, round: n }) => kind === "train" && phase === "closed" && n > told,
  );
  for (const status of closed) terminal.print(roundLine(demoRound(status), task.rules.rounds));
  return closed.at(-1)?.round ?? told;
}

/**
 * Fails when too few nodes are left for a task that has not finished.
 *
 * @throws {AstroScaleError} with the code of a node that was given up
 */
function refuseLost(summaries: readonly NodeSummary[], { task, baseline }: Tasks): void {
  const left = (central: boolean): number =>
    summaries.filter(({ name, phase }) => (name === CENTRAL) === central && !isOver(phase)).length;
  const federatedLost = task.state !== "finished" && left(false) < task.task.rules.minNodes;
  const centralLost = baseline.state !== "finished" && left(true) === 0;
  if (!federatedLost && !centralLost) return;
  const lost = summaries.find(({ name, error }) => error !== null && (name === CENTRAL) === !federatedLost);
  const whose = federatedLost ? task.task.id : baseline.task.id;
  const reason = lost?.error ? `${lost.name} was given up: ${lost.error.message}` : "its nodes have left";
  throw new AstroScaleError(lost?.error?.code ?? "internal", `task ${whose} cannot end: ${reason}`);
}

function isOver(phase: NodeSummary["phase"]): boolean {
  return phase === "failed" || phase === "stopped" || phase === "finished";
}
