import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultTasks } from "../../coordinator/default-tasks.ts";
import { type ModelSpec, parameterCount } from "../../protocol/model.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { ProtocolNode } from "../../test/support/protocol-node.ts";
import type { CoordinatorAddress, CoordinatorWish } from "../coordinator.ts";
import { ChildProgram } from "../processes/child-program.ts";
import { watchRounds } from "../processes/round-watch.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, median, spread } from "../report/spread.ts";

const NODES = 100;
const MOST_SECONDS = 5;
const WAIT_SECS = 25;
/** Nodes that send at the same time: a hundred updates at once are another question. */
const SENDERS = 8;
const DEFAULT = { id: "sync-default", hidden: [64, 32], rounds: 6 };
const MILLION = { id: "sync-million", hidden: [1000, 990], rounds: 4 };

/** How fast a round's model reaches everyone who waits for it. */
export async function modelSync(): Promise<AreaResults> {
  const directory = await mkdtemp(join(tmpdir(), "astroscale-bench-"));
  const coordinator = new ChildProgram("coordinator");
  try {
    const wish: CoordinatorWish = { dataDirectory: directory, shards: NODES };
    const address = await coordinator.ask<CoordinatorAddress>(wish);
    const results = [await sync(address, taskWith(DEFAULT)), await sync(address, taskWith(MILLION))];
    return {
      title: "Model synchronisation",
      method: [
        `${NODES} nodes in long polls, all in the round, on one machine with their coordinator. From the moment an event`,
        "stream tells that the round has closed until the last node has the next round's plan and all bytes of its model.",
      ].join("\n"),
      results,
    };
  } finally {
    await coordinator.end();
    await rm(directory, { recursive: true, force: true });
  }
}

function taskWith({ id, hidden, rounds }: typeof DEFAULT): TaskSpec {
  const [task] = defaultTasks({ rounds, roundIntervalSecs: 0 });
  if (!task) throw new Error("unreachable: there is a default task");
  const rules = { ...task.rules, minNodes: NODES, maxNodes: NODES };
  return { ...task, id, model: { ...task.model, hidden }, rules };
}

async function sync({ url, adminToken }: CoordinatorAddress, task: TaskSpec): Promise<Result> {
  const added = await fetch(`${url}/tasks`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${adminToken}` },
    body: JSON.stringify(task),
  });
  if (!added.ok) throw new Error(`adding ${task.id} answered ${added.status}: ${await added.text()}`);
  const watch = watchRounds(url, task.id);
  const request = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);
  const nodes = await inTurn(NODES, (i) => ProtocolNode.join(request, `bench ${i}`, task.id));
  const seconds: number[] = [];
  const sinceReceipt: number[] = [];
  try {
    for (let round = 0; round < task.rules.rounds; round++) {
      const { sentMs, doneMs } = await oneRound(nodes, task);
      const closedMs = await watch.closed(round);
      // Round 0 ends with the initial model, and warms everything up.
      if (round > 0) seconds.push((doneMs - closedMs) / 1000);
      if (round > 0) sinceReceipt.push((doneMs - sentMs) / 1000);
    }
  } finally {
    watch.end();
  }
  await inTurn(NODES, (i) => leave(nodes[i]));
  return result(task.model, seconds, sinceReceipt);
}

/** Everyone sends and then waits for what comes next. @returns when the last update was acknowledged, and the last model here */
async function oneRound(
  nodes: readonly ProtocolNode[],
  task: TaskSpec,
): Promise<{ readonly sentMs: number; readonly doneMs: number }> {
  let sentMs = 0;
  const waiting: Promise<void>[] = [];
  await inTurn(nodes.length, async (i) => {
    const node = nodes[i];
    if (!node) return;
    await node.work(1e-4);
    sentMs = performance.now();
    waiting.push(nextModel(node, task));
  });
  await Promise.all(waiting);
  return { sentMs, doneMs: performance.now() };
}

async function nextModel(node: ProtocolNode, task: TaskSpec): Promise<void> {
  const plan = await nextPlan(node);
  const response = await node.call(`/federated/model?task=${plan.task}&round=${plan.round - 1}`);
  const { byteLength } = await response.arrayBuffer();
  if (!response.ok || byteLength < parameterCount(task.model) * 4) {
    throw new Error(`model answered ${response.status} with ${byteLength} bytes`);
  }
}

async function nextPlan(node: ProtocolNode): Promise<TrainPlan> {
  for (;;) {
    const plan = await node.plan(WAIT_SECS);
    if ("kind" in plan && plan.kind === "train") return plan;
    if ("kind" in plan || plan.finished) throw new Error("wanted a plan for a training round");
  }
}

async function leave(node: ProtocolNode | undefined): Promise<void> {
  await node?.call("/federated/leave", { method: "POST" });
}

/** What `work` gives for `0 … count - 1`, at most `SENDERS` at a time. */
async function inTurn<Value>(count: number, work: (index: number) => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      values[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, worker));
  return values;
}

function result(model: ModelSpec, seconds: readonly number[], sinceReceipt: readonly number[]): Result {
  const parameters = parameterCount(model).toLocaleString("en-US");
  return {
    what: `round closed to ${NODES} nodes with plan and model, ${parameters} parameters`,
    measured: median(seconds),
    unit: "s",
    detail: `${spread(seconds)}; ${figure(median(sinceReceipt))} s since the last update's receipt`,
    peer: null,
    target: { of: "measured", bound: "below", value: MOST_SECONDS },
  };
}
