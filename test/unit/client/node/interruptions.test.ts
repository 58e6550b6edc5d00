import { describe, expect, test } from "vitest";
import { FakeCoordinator, refusal } from "./fake-coordinator.ts";
import { EPOCH_STEP, FakeBackend } from "./fakes.ts";
import { OPTIONS, startNode, until } from "./start.ts";

const STORED = {
  coordinator: OPTIONS.coordinator,
  name: OPTIONS.name,
  nodeId: "00000000000000aa",
  token: "kept".padStart(32, "-"),
  task: "distances",
  heartbeatSecs: 10,
};

/** A device that is lost in its first local epoch. */
function losing(): FakeBackend {
  return new FakeBackend("webgpu", (_epoch, device) => {
    device.lose("crashed");
    return new Promise(() => {});
  });
}

describe("a node that is interrupted", () => {
  test("finishes the local epoch under way when paused, holds, and goes on when resumed", async () => {
    const coordinator = new FakeCoordinator();
    const backend: FakeBackend = new FakeBackend("wasm", (epoch) => {
      if (epoch === 2) pauses.push(running.node.pause());
      return 1;
    });
    const pauses: Promise<void>[] = [];
    const running = startNode(coordinator, { backends: [backend] });
    await until(() => pauses.length > 0);
    await pauses[0];

    expect(running.last()).toMatchObject({ phase: "paused", localEpoch: 2, localEpochs: 3 });
    await until(() => coordinator.heartbeats.filter(({ state }) => state === "paused").length > 2);
    expect(backend.epochs).toBe(2);

    await running.node.resume();
    await running.node.ended;
    expect(backend.epochs).toBe(6);
    expect(running.last()).toMatchObject({ phase: "finished", updatesAccepted: 3 });
  });

  test("drops a round that closed while it was paused", async () => {
    const coordinator = new FakeCoordinator();
    const backend: FakeBackend = new FakeBackend("wasm", (epoch) => {
      if (epoch === 1) pauses.push(running.node.pause());
      return 1;
    });
    const pauses: Promise<void>[] = [];
    const running = startNode(coordinator, { backends: [backend] });
    await until(() => pauses.length > 0);
    await pauses[0];
    coordinator.round = 2;
    await running.node.resume();
    await running.node.ended;

    expect(coordinator.updates.map(({ round }) => round)).toEqual([0, 2]);
    // One epoch of the dropped round and three of the next.
    expect(backend.epochs).toBe(4);
  });

  test("holds while it waits for a plan, and asks again when resumed", async () => {
    const coordinator = new FakeCoordinator();
    let waiting = true;
    coordinator.intercept = ({ path }) =>
      path === "/federated/plan" && waiting
        ? Response.json({ retryAfterSecs: 5, reason: "1 of 2 nodes", finished: false }, { status: 202 })
        : null;
    const { node, states, last } = startNode(coordinator);
    await until(() => last()?.reason === "1 of 2 nodes");
    await node.pause();
    const asked = coordinator.callsTo("/federated/plan").length;
    expect(last()?.phase).toBe("paused");
    waiting = false;
    await node.resume();
    await node.ended;

    expect(coordinator.callsTo("/federated/plan").length).toBeGreaterThan(asked);
    expect(states.at(-1)?.phase).toBe("finished");
  });

  test("leaves, frees its device and forgets its session when stopped in the middle of an epoch", async () => {
    const coordinator = new FakeCoordinator();
    const endless = new FakeBackend("webgpu", () => new Promise(() => {}));
    const { node, slot, last } = startNode(coordinator, { backends: [endless] });
    await until(() => endless.epochs === 1);
    expect(slot.stored?.nodeId).toBe("0000000000000001");
    await node.stop();

    expect(last()).toMatchObject({ phase: "stopped", error: null });
    expect(coordinator.callsTo("/federated/leave")).toHaveLength(1);
    expect(endless.disposed).toBe(true);
    expect(slot).toMatchObject({ stored: null, released: true });
  });

  test("stops although its coordinator is away", async () => {
    const coordinator = new FakeCoordinator();
    const { node, last } = startNode(coordinator, {
      onState: ({ phase }) => {
        if (phase !== "training") return;
        coordinator.intercept = () => Promise.reject(new TypeError("fetch failed"));
      },
    });
    await until(() => last()?.phase === "reconnecting");
    await node.stop();
    expect(last()?.phase).toBe("stopped");
  });

  test("does a round again with webassembly when its device is lost in the middle, and says so", async () => {
    const coordinator = new FakeCoordinator();
    const lost = new FakeBackend("webgpu", (epoch, device) => {
      if (epoch < 2) return 1;
      device.lose("the gpu process crashed");
      return new Promise(() => {});
    });
    const spare = new FakeBackend("wasm");
    const { node, states } = startNode(coordinator, { backends: [lost, spare] });
    await node.ended;

    const notice = "the webgpu device was lost (the gpu process crashed): going on with wasm";
    expect(states.at(-1)).toMatchObject({ phase: "finished", backend: "wasm", device: "fake wasm", notice });
    expect(lost.disposed).toBe(true);
    expect(coordinator.updates.map(({ round, backend }) => [round, backend])).toEqual([
      [0, "webgpu"],
      [1, "wasm"],
      [2, "wasm"],
    ]);
    // From the global model again, not from where the lost device was: three epochs, not four.
    for (const value of coordinator.deltas[0] ?? []) expect(value).toBeCloseTo(3 * EPOCH_STEP, 6);
    expect(spare.epochs).toBe(6);
  });

  test("opens a lost device twice again before it asks for webassembly", async () => {
    const coordinator = new FakeCoordinator();
    const opened: string[] = [];
    const backends = [losing(), losing(), losing(), new FakeBackend("wasm")];
    const { node, states } = startNode(coordinator, { backends, onOpen: (choice) => opened.push(choice) });
    await node.ended;

    expect(opened).toEqual(["auto", "webgpu", "webgpu", "wasm"]);
    expect(states.at(-1)).toMatchObject({ phase: "finished", backend: "wasm" });
  });

  test("goes on under its stored session after a reload", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.tokens.add(STORED.token);
    const { node, states } = startNode(coordinator, { stored: STORED });
    await node.ended;

    expect(coordinator.joined).toBe(0);
    expect(coordinator.updates.map(({ node: id }) => id)).toEqual(Array(3).fill(STORED.nodeId));
    expect(states.at(-1)).toMatchObject({ phase: "finished", nodeId: STORED.nodeId });
  });

  test.each([
    { why: "another task is wanted", stored: STORED, options: { task: "galaxies" } },
    { why: "the name has changed", stored: { ...STORED, name: "old name" }, options: {} },
    {
      why: "it is of another coordinator",
      stored: { ...STORED, coordinator: "http://other.test" },
      options: {},
    },
  ])("joins anew when $why", async ({ stored, options }) => {
    const coordinator = new FakeCoordinator();
    coordinator.tokens.add(STORED.token);
    const { node } = startNode(coordinator, { stored, options });
    await node.ended;
    expect(coordinator.joined).toBe(1);
    expect(coordinator.callsTo("/federated/plan").every(({ token }) => token !== STORED.token)).toBe(true);
  });

  test("keeps sending heartbeats while the coordinator refuses its update", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.intercept = ({ path }) =>
      path === "/federated/update" ? refusal(503, "store_unavailable") : null;
    const { node } = startNode(coordinator);
    await until(() => coordinator.heartbeats.length > 4);
    await node.stop();
    expect(coordinator.heartbeats[0]).toEqual({
      state: "waiting",
      backend: "wasm",
      device: "fake wasm",
      examplesPerSecond: null,
      fault: null,
    });
  });
});
