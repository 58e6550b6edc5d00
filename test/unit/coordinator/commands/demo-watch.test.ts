import { beforeEach, expect, test } from "vitest";
import { type DemoApi, untilFinished } from "../../../../coordinator/commands/demo/watch.ts";
import type { Terminal } from "../../../../coordinator/commands/process/terminal.ts";
import { defaultTasks } from "../../../../coordinator/default-tasks.ts";
import type { NodeSummary } from "../../../../coordinator/headless/node-record.ts";
import type { RoundStatus } from "../../../../protocol/rounds.ts";
import type { TaskState, TaskStatus } from "../../../../protocol/tasks.ts";

const ROUNDS = 3;
const SCORE = { kind: "class", loss: 0.5, accuracy: 0.9, macroF1: 0.8 } as const;

/** Where the two tasks stand at a look: the state and the open round of each. */
type Look = readonly [state: TaskState, round: number, baselineState: TaskState, baselineRound: number];

let printed: string[];
let stop: AbortController;
let nowMs: number;
let nodes: NodeSummary[];

beforeEach(() => {
  printed = [];
  stop = new AbortController();
  nowMs = 0;
  nodes = ["headless-1", "headless-2", "central"].map((name) => ({ ...IDLE, name }));
});

const IDLE: Omit<NodeSummary, "name"> = {
  backend: "wasm",
  device: null,
  updatesAccepted: 0,
  examplesTrained: 0,
  examplesPerSecond: null,
  restarts: 0,
  phase: "training",
  error: null,
};

const terminal: Terminal = {
  print: (line) => void printed.push(line),
  complain: (line) => void printed.push(line),
  progress: () => undefined,
};

function status(index: number, state: TaskState, round: number): TaskStatus {
  const task = defaultTasks({ rounds: ROUNDS, roundIntervalSecs: 0 })[index];
  if (!task) throw new Error(`no default task ${index}`);
  return { task, state, reason: null, round, nodes: 2, score: SCORE, central: null };
}

function closedRound(number: number): RoundStatus {
  return {
    task: "sdss-class",
    round: number,
    kind: number === 0 ? "fit" : "train",
    phase: "closed",
    attempts: 0,
    cohort: 2,
    participants: [],
    examples: 10,
    loss: 0.5,
    score: number === 0 ? null : SCORE,
    seconds: 1,
    bytesUp: 1,
    bytesDown: 1,
    rejected: {},
    model: null,
    withheld: null,
  };
}

/** A coordinator that stands as `looks` say, one after the other, and then stays so. */
function campaign(looks: readonly Look[], onLook: (index: number) => void = () => undefined): DemoApi {
  let look = -1;
  const now = (): Look => looks[Math.min(look, looks.length - 1)] ?? ["waiting", 0, "waiting", 0];
  return {
    async tasks() {
      look += 1;
      onLook(look);
      const [state, round, baselineState, baselineRound] = now();
      return { tasks: [status(0, state, round), status(1, baselineState, baselineRound)] };
    },
    async rounds(task) {
      const [state, round] = now();
      const closed = state === "finished" ? ROUNDS + 1 : round;
      return { task, rounds: Array.from({ length: closed }, (_, number) => closedRound(number)) };
    },
  };
}

function watch(api: DemoApi): ReturnType<typeof untilFinished> {
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const pool = { summaries: () => nodes };
  return untilFinished({ api, pool, terminal, signal: stop.signal, sleep, nowMs: () => nowMs });
}

function give(name: string): void {
  const error = { code: "diverged", message: "the loss is NaN" } as const;
  nodes = nodes.map((node) => (node.name === name ? { ...node, phase: "failed", error } : node));
}

test("every training round is told once, even when several close between two looks", async () => {
  const looks: Look[] = [
    ["waiting", 0, "waiting", 0],
    ["running", 1, "running", 1],
    ["running", 3, "running", 1],
    ["running", 3, "running", 2],
    ["finished", 3, "running", 3],
    ["finished", 3, "finished", 3],
  ];
  const ended = await watch(campaign(looks));

  expect(printed.map((line) => line.slice(0, 12))).toEqual(["round 1 of 3", "round 2 of 3", "round 3 of 3"]);
  expect([ended.task.state, ended.baseline.state]).toEqual(["finished", "finished"]);
});

test("fewer nodes than the task needs end the demo with the lost node's reason", async () => {
  give("headless-2");
  await expect(watch(campaign([["running", 1, "running", 1]]))).rejects.toMatchObject({
    code: "diverged",
    message: "task sdss-class cannot end: headless-2 was given up: the loss is NaN",
  });
});

test("a lost central node ends the demo, unless the baseline is finished", async () => {
  give("central");
  await expect(watch(campaign([["running", 1, "running", 1]]))).rejects.toMatchObject({
    code: "diverged",
    message: "task sdss-class.central cannot end: central was given up: the loss is NaN",
  });
  const looks: Look[] = [
    ["running", 1, "finished", 3],
    ["finished", 3, "finished", 3],
  ];
  await expect(watch(campaign(looks))).resolves.toBeDefined();
});

test("a lost node more than needed ends nothing", async () => {
  nodes = [...nodes, { ...IDLE, name: "headless-3" }];
  give("headless-3");
  await expect(watch(campaign([["finished", 3, "finished", 3]]))).resolves.toBeDefined();
  const looks: Look[] = [
    ["running", 1, "running", 1],
    ["finished", 3, "finished", 3],
  ];
  await expect(watch(campaign(looks))).resolves.toBeDefined();
});

test("a node that has failed but will be restarted is not lost", async () => {
  nodes = nodes.map((node) => ({ ...node, phase: "failed" }));
  const looks: Look[] = [
    ["running", 1, "running", 1],
    ["finished", 3, "finished", 3],
  ];
  await expect(watch(campaign(looks))).resolves.toBeDefined();
});

test("ten minutes without a closed round end the demo, and one at the ninth minute does not", async () => {
  await expect(watch(campaign([["running", 1, "running", 1]]))).rejects.toMatchObject({
    code: "request_timeout",
    message: "no round closed for 10 minutes: federated round 1 of 3, centralised round 1 of 3",
  });
  expect(nowMs).toBeGreaterThan(600_000);
  expect(nowMs).toBeLessThan(602_000);

  nowMs = 0;
  const nineMinutes = 9 * 60 * 2; // looks are half a second apart
  const looks: Look[] = [
    ...Array.from({ length: nineMinutes }, (): Look => ["running", 1, "running", 1]),
    ...Array.from({ length: nineMinutes }, (): Look => ["running", 2, "running", 1]),
    ["finished", 3, "finished", 3],
  ];
  await expect(watch(campaign(looks))).resolves.toBeDefined();
});

test("an interruption says how far the demo had come", async () => {
  const api = campaign([["running", 2, "running", 1]], (look) => {
    if (look === 3) stop.abort();
  });
  await expect(watch(api)).rejects.toMatchObject({
    code: "interrupted",
    message: "interrupted: federated round 2 of 3, centralised round 1 of 3",
  });
});
