import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parameterCount } from "../../protocol/model.ts";
import { randomStream } from "../../protocol/random.ts";
import { RoundList, type RoundStatus } from "../../protocol/rounds.ts";
import { TaskList, type TaskSpec } from "../../protocol/tasks.ts";
import { decodeWeights } from "../../protocol/weights.ts";
import { CoordinatorProcess, freePort } from "../support/coordinator-process.ts";
import { ProtocolNode, type Request } from "../support/protocol-node.ts";

const KILLS = 20;
const NODES = 4;
/** 61 rounds of at least two updates each are enough for all kills. */
const UPDATES_BETWEEN_KILLS = 6;

/** An update as its sender knows it. */
interface Sent {
  readonly round: number;
  readonly node: string;
  readonly delta: number;
  readonly rows: number;
  /** From the receipt; `null` when no answer came back. */
  acknowledged: string | null;
}

let directory: string;
let coordinator: CoordinatorProcess;
const sent: Sent[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "astroscale-kill-"));
  coordinator = new CoordinatorProcess(await freePort(), directory);
  await coordinator.start();
});
afterAll(async () => {
  await coordinator.stop();
  await rm(directory, { recursive: true });
});

const request: Request = (path, init) =>
  fetch(coordinator.url + path, { ...init, signal: AbortSignal.timeout(20_000) });

/** Tries until the coordinator answers: it may be dead, or die under the request. */
async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TypeError || (error instanceof Error && error.name === "TimeoutError")))
        throw error;
      await sleep(15);
    }
  }
}

/** Works until the task is finished, sending every update again and again until it is answered. */
async function runNode(index: number): Promise<void> {
  const node = await persist(() => ProtocolNode.join(request, `node ${index}`));
  for (;;) {
    const plan = await persist(() => node.plan(2));
    if (!("kind" in plan)) {
      if (plan.finished) return;
      continue;
    }
    const delta = Math.fround(0.001 * (index + 1) * (plan.round % 2 === 0 ? 1 : -0.7));
    const rows = plan.shards.reduce((sum, shard) => sum + shard.rows, 0);
    const update = node.update(plan, delta);
    const entry: Sent = { round: plan.round, node: node.nodeId, delta, rows, acknowledged: null };
    sent.push(entry);
    // Thrice when it went well: a node that missed the answer does the same.
    for (let times = 0; times < 3; times++) {
      const { status, body } = await persist(async () => {
        const response = await node.send(update);
        return { status: response.status, body: (await response.json()) as { digest?: string } };
      });
      expect([202, 409, 403]).toContain(status);
      if (status !== 202) break;
      entry.acknowledged = body.digest ?? null;
    }
  }
}

/** Kills at moments spread over the whole task: so many updates after the last kill, and some milliseconds. */
async function killAtRandom(): Promise<void> {
  const next = randomStream(20, 1);
  for (let kills = 0; kills < KILLS; kills++) {
    const after = kills * UPDATES_BETWEEN_KILLS + (next() % UPDATES_BETWEEN_KILLS);
    while (sent.length < after) await sleep(1);
    await sleep(next() % 50);
    await coordinator.kill();
    await coordinator.start();
  }
}

test(`${KILLS} kills of the coordinator lose no acknowledged update and double none`, async () => {
  const nodes = Array.from({ length: NODES }, (_, index) => runNode(index));
  await Promise.all([killAtRandom(), ...nodes]);

  const { tasks } = TaskList.parse(await (await request("/tasks")).json());
  const task = tasks.find(({ task: { baselineOf } }) => baselineOf === null)?.task;
  if (!task) throw new Error("no task");
  const { rounds } = RoundList.parse(await (await request(`/federated/rounds?task=${task.id}`)).json());
  expect(rounds).toHaveLength(task.rules.rounds + 1);
  expect(rounds.every(({ phase }) => phase === "closed")).toBe(true);

  for (const { round, node, acknowledged } of sent.filter((entry) => entry.acknowledged !== null)) {
    const counted = rounds[round]?.participants.filter(({ nodeId }) => nodeId === node) ?? [];
    expect(counted.map(({ digest }) => digest)).toEqual([acknowledged]);
  }
  for (const round of rounds.slice(1)) await expectExactAggregate(task, round);
}, 180_000);

/** The round's model is the model before plus the float64 mean of exactly its participants' deltas. */
async function expectExactAggregate(task: TaskSpec, { round, participants }: RoundStatus): Promise<void> {
  let sum = 0;
  let examples = 0;
  for (const { nodeId, exampleCount } of participants) {
    const entry = sent.find((candidate) => candidate.round === round && candidate.node === nodeId);
    expect(entry?.rows).toBe(exampleCount);
    sum += (entry?.delta ?? Number.NaN) * exampleCount;
    examples += exampleCount;
  }
  const [before, after] = [await parameters(task, round - 1), await parameters(task, round)];
  expect(after).toHaveLength(parameterCount(task.model));
  const expected = before.map((value) => value + sum / examples);
  expect(after).toEqual(expected);
}

async function parameters(task: TaskSpec, round: number): Promise<Float32Array<ArrayBuffer>> {
  const response = await request(`/federated/model?task=${task.id}&round=${round}`);
  return decodeWeights(task.model, new Uint8Array(await response.arrayBuffer()));
}
