import { describe, expect, test } from "vitest";
import { threadsToUse } from "../../../../client/node/threads.ts";
import { FakeCoordinator } from "./fake-coordinator.ts";
import { FakeBackend, LeapingClock, pacedBackend } from "./fakes.ts";
import { startNode } from "./start.ts";

/** A node with webassembly and a rival of these speeds. */
function contest(rates: { wasm: number; webgpu: number }) {
  const coordinator = new FakeCoordinator();
  const clock = new LeapingClock();
  const wasm = pacedBackend("wasm", clock, rates.wasm);
  const webgpu = pacedBackend("webgpu", clock, rates.webgpu);
  const started = startNode(coordinator, { backends: [wasm], rival: Promise.resolve(webgpu), clock });
  return { coordinator, wasm, webgpu, ...started };
}

describe("a node that may choose", () => {
  test("joins with webassembly, measures both before its first training and goes on with the faster", async () => {
    const { coordinator, wasm, webgpu, node, last } = contest({ wasm: 1_000, webgpu: 4_000 });
    await node.ended;

    const join = String(coordinator.callsTo("/federated/join")[0]?.body);
    expect(JSON.parse(join)).toMatchObject({ capabilities: { backend: "wasm" } });
    expect(coordinator.updates.map(({ backend }) => backend)).toEqual(["wasm", "webgpu", "webgpu"]);
    expect([wasm.disposed, webgpu.disposed]).toEqual([true, true]);
    expect(last()).toMatchObject({ backend: "webgpu", device: "fake webgpu", notice: null });
    const rates = last()?.probes.map((probe) => [probe.backend, Math.round(probe.examplesPerSecond ?? 0)]);
    expect(rates).toEqual([
      ["wasm", 1_000],
      ["webgpu", 4_000],
    ]);
    // One trainer to warm up, one to measure, one to train: the second round measures nothing.
    expect([wasm.trainers, webgpu.trainers]).toEqual([1, 3]);
  });

  test("stays with webassembly where that is faster, and frees the graphics processor", async () => {
    const { coordinator, webgpu, node, last } = contest({ wasm: 4_000, webgpu: 1_000 });
    await node.ended;
    expect(coordinator.updates.map(({ backend }) => backend)).toEqual(["wasm", "wasm", "wasm"]);
    expect(webgpu.disposed).toBe(true);
    expect(last()?.probes).toHaveLength(2);
  });

  test("does not wait for a rival that is still being opened, and takes it up between rounds", async () => {
    const coordinator = new FakeCoordinator();
    const clock = new LeapingClock();
    const webgpu = pacedBackend("webgpu", clock, 4_000);
    let arrive: (rival: FakeBackend) => void = () => {};
    const rival = new Promise<FakeBackend>((resolve) => {
      arrive = resolve;
    });
    const { node } = startNode(coordinator, {
      backends: [pacedBackend("wasm", clock, 1_000)],
      rival,
      clock,
      onState: ({ updatesAccepted }) => {
        if (updatesAccepted === 2) arrive(webgpu);
      },
    });
    await node.ended;
    expect(coordinator.updates.map(({ backend }) => backend)).toEqual(["wasm", "wasm", "webgpu"]);
  });

  test("goes on with webassembly when its rival breaks while it is warmed up, and tells that it did", async () => {
    const coordinator = new FakeCoordinator();
    const broken = new FakeBackend("webgpu", () => Promise.reject(new Error("does not compile")));
    const { node, last } = startNode(coordinator, { rival: Promise.resolve(broken) });
    await node.ended;
    expect(broken.disposed).toBe(true);
    expect(last()).toMatchObject({
      phase: "finished",
      backend: "wasm",
      probes: [{ backend: "webgpu", device: "fake webgpu", examplesPerSecond: null }],
    });
  });

  test("tells the coordinator what its choice rests on and what computes now", async () => {
    const { coordinator, webgpu, node, last } = contest({ wasm: 1_000, webgpu: 4_000 });
    await node.ended;
    const told = coordinator.heartbeats.find(({ probes }) => probes !== undefined);
    expect(told).toMatchObject({ backend: "webgpu", device: webgpu.device, probes: last()?.probes });
  });
});

describe("the threads of a node", () => {
  test.each([
    { chosen: null, cores: 1, threads: 1 },
    { chosen: null, cores: 4, threads: 3 },
    { chosen: null, cores: 64, threads: 8 },
    { chosen: 2, cores: 4, threads: 2 },
    { chosen: 64, cores: 64, threads: 64 },
    { chosen: 16, cores: 4, threads: 4 },
    { chosen: 0, cores: 4, threads: 1 },
  ])("are $threads of $cores when the volunteer chose $chosen", ({ chosen, cores, threads }) => {
    expect(threadsToUse(chosen, cores)).toBe(threads);
  });

  test("are given to every backend that is opened, and shown", async () => {
    const opened: number[] = [];
    const { node, last } = startNode(new FakeCoordinator(), {
      options: { threads: 2 },
      onOpen: (_choice, { threads }) => opened.push(threads),
    });
    await node.ended;
    expect(opened).toEqual([2]);
    expect(last()?.threads).toBe(2);
  });
});
