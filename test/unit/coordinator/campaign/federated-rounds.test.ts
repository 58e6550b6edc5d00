import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { initialise } from "../../../../protocol/model.ts";
import { RoundList, RoundStatus } from "../../../../protocol/rounds.ts";
import { decodeSafeTensors } from "../../../../protocol/safetensors.ts";
import { decodeWeights } from "../../../../protocol/weights.ts";
import { ProtocolNode, type Request } from "../../../support/protocol-node.ts";
import { openTestCoordinator, type TestCoordinator, TINY_TASK } from "../../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
const request: Request = async (path, init) => coordinator.app.request(path, init);

beforeEach(async () => {
  coordinator = await openTestCoordinator();
});
afterEach(() => coordinator.dispose());

async function modelAfter(round: number): Promise<Uint8Array<ArrayBuffer>> {
  const response = await request(`/federated/model?task=tiny&round=${round}`);
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function roundStatus(number: number): Promise<RoundStatus> {
  return RoundStatus.parse(await (await request(`/federated/rounds/${number}?task=tiny`)).json());
}

/** Waits until `number` is closed: its closing runs on after the last update was answered. */
async function closed(number: number, node: ProtocolNode): Promise<RoundStatus> {
  await node.plan(20);
  const status = await roundStatus(number);
  expect(status.phase).toBe("closed");
  return status;
}

describe("federated rounds", () => {
  test("run from the statistics to the last model, each the example-weighted mean of its updates", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    await a.work();
    await b.work();
    const fit = await closed(0, a);
    expect(fit).toMatchObject({ kind: "fit", examples: 7999, cohort: 2, withheld: null });
    const initial = decodeWeights(TINY_TASK.model, await modelAfter(0));
    expect(initial).toEqual(initialise(TINY_TASK.model, TINY_TASK.seed));

    let expected = initial;
    for (const round of [1, 2, 3]) {
      const rows = [await rowsOf(a), await rowsOf(b)] as const;
      await a.work(0.5);
      await b.work(-0.25);
      await closed(round, a);
      const step = (rows[0] * 0.5 + rows[1] * -0.25) / (rows[0] + rows[1]);
      expected = expected.map((value) => value + step);
      expect(decodeWeights(TINY_TASK.model, await modelAfter(round))).toEqual(expected);
    }
    const end = await a.plan();
    expect(end).toMatchObject({ finished: true });
    const list = RoundList.parse(await (await request("/federated/rounds?task=tiny")).json());
    expect(list.rounds.map(({ phase }) => phase)).toEqual(["closed", "closed", "closed", "closed"]);
    expect(list.rounds.at(-1)?.score).toMatchObject({ kind: "class", accuracy: expect.any(Number) });
  });

  test("merge statistics into the preprocessing that every node gets", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    await a.work();
    await b.work();
    await closed(0, a);
    const plans = [await a.plan(), await b.plan()];
    // ProtocolNode reports mean f and M2 = rows, so the variance is 1.
    const preprocessing = { fill: [0, 1, 2], mean: [0, 1, 2], invStd: [1, 1, 1] };
    for (const plan of plans) expect(plan).toMatchObject({ kind: "train", preprocessing });
    const { metadata } = decodeSafeTensors(await modelAfter(0));
    expect(JSON.parse(metadata["preprocessing"] ?? "")).toEqual(preprocessing);
  });

  test("say why a node waits", async () => {
    const a = await ProtocolNode.join(request, "a");
    expect(await a.plan()).toMatchObject({ reason: "waiting for nodes: 1 of 2 are here", finished: false });
  });

  test("open no sooner than the task's interval allows, and say when", async () => {
    const paced = { ...TINY_TASK, id: "paced", rules: { ...TINY_TASK.rules, roundIntervalSecs: 30 } };
    await coordinator.dispose();
    coordinator = await openTestCoordinator([paced]);
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    for (let round = 0; round < 2; round++) {
      await a.work();
      await b.work();
      await vi.waitFor(() => expect(coordinator.campaign.task("paced").status().round).toBe(round + 1));
    }
    coordinator.clock.pass(10_000);
    expect(await a.plan()).toMatchObject({ reason: "round 2 opens in 20 s" });
    expect(coordinator.campaign.task("paced").status()).toMatchObject({ state: "running", reason: null });
    coordinator.clock.pass(10_000);
    await Promise.all([a.plan(), b.plan()]);
    coordinator.clock.pass(10_500);
    expect(await a.plan()).toMatchObject({ kind: "train", round: 2 });
  });

  test("close without a node that has left", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    const c = await ProtocolNode.join(request, "c");
    for (const node of [a, b]) await node.work();
    await closed(0, a);
    for (const node of [a, b]) await node.work();
    expect((await roundStatus(1)).phase).toBe("collecting");
    expect((await c.call("/federated/leave", { method: "POST" })).status).toBe(204);
    expect((await closed(1, a)).participants).toHaveLength(2);
    expect((await c.call("/federated/plan")).status).toBe(401);
  });

  test("close without a node that fell silent, when its lease runs out", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    await a.work();
    await b.work();
    await closed(0, a);
    const c = await ProtocolNode.join(request, "c");
    await a.work();
    coordinator.clock.pass(20_000);
    await c.call("/federated/plan");
    await b.work();
    await closed(1, a);
    const plan = await c.plan();
    expect(plan).toMatchObject({ kind: "train", round: 2 });
    await a.work();
    coordinator.clock.pass(15_000);
    await a.plan();
    await c.work();
    coordinator.clock.pass(15_000);
    expect((await roundStatus(2)).participants.map(({ name }) => name).toSorted()).toEqual(["a", "c"]);
    expect((await roundStatus(2)).phase).not.toBe("collecting");
  });

  test("go on after a restart, with what was acknowledged", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    await a.work();
    await b.work();
    await closed(0, a);
    await a.work(0.5);
    coordinator = await coordinator.restart();
    expect(await a.plan()).toMatchObject({
      reason: "round 1: your update is counted, 1 of 2 updates are here",
    });
    await b.work(0.5);
    expect((await closed(1, a)).participants).toHaveLength(2);
    const step = initialise(TINY_TASK.model, TINY_TASK.seed).map((value) => value + 0.5);
    expect(decodeWeights(TINY_TASK.model, await modelAfter(1))).toEqual(step);
  });

  test("withhold an aggregate that does not fit float32 and keep the model before", async () => {
    const huge = { ...TINY_TASK, id: "huge", rules: { ...TINY_TASK.rules, maxUpdateNorm: Number.MAX_VALUE } };
    await coordinator.dispose();
    coordinator = await openTestCoordinator([huge]);
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    for (const delta of [0, 3.4e38, 3.4e38]) {
      await a.work(delta);
      await b.work(delta);
      await a.plan(20);
    }
    const { rounds } = RoundList.parse(await (await request("/federated/rounds?task=huge")).json());
    const withheld = rounds.filter((round) => round.withheld !== null);
    expect(withheld.length).toBeGreaterThan(0);
    for (const round of withheld) expect(round.model).toBe(rounds[round.round - 1]?.model);
  });

  async function rowsOf(node: ProtocolNode): Promise<number> {
    const plan = await node.plan();
    if (!("kind" in plan)) throw new Error(plan.reason);
    return plan.shards.reduce((sum, { rows }) => sum + rows, 0);
  }
});
