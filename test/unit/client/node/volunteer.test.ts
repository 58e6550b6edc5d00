import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FakeCoordinator, refusal } from "./fake-coordinator.ts";
import { EPOCH_STEP, FakeBackend } from "./fakes.ts";
import { startNode, until } from "./start.ts";

describe("a volunteer's node", () => {
  test("fits, trains every round and ends as finished", async () => {
    const coordinator = new FakeCoordinator();
    const backend = new FakeBackend("wasm");
    const { node, rows, slot, states, last } = startNode(coordinator, { backends: [backend] });
    await node.ended;

    expect(coordinator.updates.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(coordinator.updates.map(({ exampleCount }) => exampleCount)).toEqual([4, 4, 4]);
    // Three local epochs of EPOCH_STEP on each of the two parameters, whatever the global model was.
    for (const delta of coordinator.deltas) {
      for (const value of delta) expect(value).toBeCloseTo(3 * EPOCH_STEP, 6);
    }
    expect(coordinator.updates[1]?.baseModel).toMatch(/^[0-9a-f]{64}$/);
    expect(last()).toMatchObject({
      phase: "finished",
      updatesAccepted: 3,
      examplesTrained: 24,
      task: { title: "Distances" },
      rounds: 2,
      error: null,
    });
    const phases = states.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    expect(phases.slice(0, 6)).toEqual([
      "joining",
      "waiting",
      "downloading",
      "preprocessing",
      "sending",
      "waiting",
    ]);
    // One download to fit and one to train: the second training round finds everything prepared.
    expect(rows.asked).toBe(2);
    expect(backend.trainers).toBe(1);
    expect(backend.disposed).toBe(true);
    expect(slot.released).toBe(true);
    expect(coordinator.callsTo("/federated/leave")).toHaveLength(1);
  });

  test("repeats a failed upload with the same key and the same bytes until it is accepted", async () => {
    const coordinator = new FakeCoordinator();
    const faults = [
      () => Promise.reject(new TypeError("fetch failed")),
      () => refusal(503, "store_unavailable"),
      () => new Response("bad gateway", { status: 502 }),
      () => refusal(429, "invalid_request"),
    ];
    const uploads: Uint8Array[] = [];
    coordinator.intercept = ({ path, body }) => {
      if (path !== "/federated/update") return null;
      uploads.push((body as Uint8Array).slice());
      return faults.shift()?.() ?? null;
    };
    const { node, clock, states, last } = startNode(coordinator);
    await node.ended;

    const keys = coordinator.callsTo("/federated/update").map(({ key }) => key);
    expect(keys).toEqual(["key-1", "key-1", "key-1", "key-1", "key-1", "key-2", "key-3"]);
    for (const upload of uploads.slice(1, 5)) expect(upload).toEqual(uploads[0]);
    // Halfway between 1 s and 2, 4, 8, 16 s.
    expect(clock.sleeps).toEqual(expect.arrayContaining([1_500, 2_500, 4_500, 8_500]));
    expect(
      states.some(({ phase, reason }) => phase === "reconnecting" && /fetch failed/.test(reason ?? "")),
    ).toBe(true);
    const back = states.findLastIndex(({ phase }) => phase === "reconnecting") + 1;
    expect(states[back]).toMatchObject({ phase: "sending", reason: null });
    expect(last()).toMatchObject({ phase: "finished", updatesAccepted: 3, reason: null });
  });

  test("drops an update that is stale and asks for the next plan", async () => {
    const coordinator = new FakeCoordinator();
    let stale = 1;
    coordinator.intercept = ({ path }) => {
      if (path !== "/federated/update" || coordinator.round !== 1 || stale-- <= 0) return null;
      return refusal(409, "stale_round");
    };
    const { node, last } = startNode(coordinator);
    await node.ended;

    const keys = coordinator.callsTo("/federated/update").map(({ key }) => key);
    expect(keys).toEqual(["key-1", "key-2", "key-3", "key-4"]);
    expect(last()).toMatchObject({ phase: "finished", updatesAccepted: 3, notice: null });
  });

  test("reports a refused update and does not send the same work again", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.intercept = ({ path }) => {
      if (path !== "/federated/update" || coordinator.round !== 1) return null;
      return refusal(422, "norm_exceeded");
    };
    let asked = 0;
    const { node, states } = startNode(coordinator, {
      onState: ({ notice }) => {
        if (notice !== null && asked === 0) asked = coordinator.callsTo("/federated/plan").length;
      },
    });
    await until(() => asked > 0 && coordinator.callsTo("/federated/plan").length > asked + 3);
    await node.stop();

    expect(coordinator.callsTo("/federated/update")).toHaveLength(2);
    expect(states.at(-1)?.notice).toBe("round 1 skipped: refused as norm_exceeded");
  });

  test("joins anew when the coordinator does not know its session any more", async () => {
    const coordinator = new FakeCoordinator();
    const { node, states, last } = startNode(coordinator, {
      onState: ({ phase, round, localEpoch }) => {
        if (phase === "training" && round === 1 && localEpoch === 1 && coordinator.joined === 1) {
          coordinator.tokens.clear();
        }
      },
    });
    await node.ended;

    expect(coordinator.joined).toBe(2);
    expect(new Set(states.map(({ nodeId }) => nodeId))).toEqual(
      new Set([null, "0000000000000001", "0000000000000002"]),
    );
    expect(coordinator.updates.map(({ node: id }) => id.slice(-1))).toEqual(["1", "2", "2"]);
    expect(last()?.phase).toBe("finished");
  });

  test("skips a round whose loss is not finite, sends nothing and says so", async () => {
    const coordinator = new FakeCoordinator();
    const diverging = new FakeBackend("wasm", (epoch) => (epoch === 2 ? Number.NaN : 1));
    const { node, states } = startNode(coordinator, {
      backends: [diverging],
      onState: ({ notice }) => {
        // Others close the round; this node takes part in the next.
        if (notice !== null && coordinator.round === 1) coordinator.round = 2;
      },
    });
    await node.ended;

    expect(coordinator.updates.map(({ round }) => round)).toEqual([0, 2]);
    expect(states.some(({ notice }) => notice === "round 1 skipped: loss is NaN after local epoch 2")).toBe(
      true,
    );
    expect(states.at(-1)).toMatchObject({ phase: "finished", notice: null });
  });

  test("joins with what its machine brings and the version of the package", async () => {
    const coordinator = new FakeCoordinator();
    await startNode(coordinator).node.ended;
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const [join] = coordinator.callsTo("/federated/join");
    expect(JSON.parse(String(join?.body))).toEqual({
      name: "node under test",
      capabilities: { backend: "wasm", device: "fake wasm", threads: 4, version },
    });
  });

  test("fails with the coordinator's words when its join is refused", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.intercept = ({ path }) => (path === "/federated/join" ? refusal(404, "not_found") : null);
    const { node, slot, last } = startNode(coordinator);
    await node.ended;

    expect(last()).toMatchObject({
      phase: "failed",
      error: { code: "not_found", message: "refused as not_found" },
    });
    expect(slot.released).toBe(true);
  });

  test("waits for a coordinator that is not there yet", async () => {
    const coordinator = new FakeCoordinator();
    let away = 3;
    coordinator.intercept = () => {
      if (away-- > 0) throw new TypeError("connection refused");
      return null;
    };
    const { node, last } = startNode(coordinator);
    await node.ended;

    expect(last()).toMatchObject({ phase: "finished", updatesAccepted: 3 });
  });
});
