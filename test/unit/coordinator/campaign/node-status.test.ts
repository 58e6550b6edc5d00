import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Heartbeat, NodeStatus } from "../../../../protocol/nodes.ts";
import { CoordinatorStatus } from "../../../../protocol/replies.ts";
import { ProtocolNode, type Request } from "../../../support/protocol-node.ts";
import { openTestCoordinator, type TestCoordinator } from "../../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
const request: Request = async (path, init) => coordinator.app.request(path, init);

beforeEach(async () => {
  coordinator = await openTestCoordinator();
});
afterEach(() => coordinator.dispose());

const PLAIN: Heartbeat = { state: "waiting", backend: "wasm", examplesPerSecond: null };
const PROBES = [
  { backend: "wasm" as const, device: "WebAssembly SIMD, 3 threads", examplesPerSecond: 51_000 },
  { backend: "webgpu" as const, device: "Apple M2", examplesPerSecond: 210_000 },
];
const FAULT = { round: 2, code: "diverged" as const, message: "loss is NaN after local epoch 1" };

function beat(node: ProtocolNode, heartbeat: object): Promise<Response> {
  return node.call("/federated/heartbeat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(heartbeat),
  });
}

async function statusOf({ nodeId }: ProtocolNode): Promise<NodeStatus | undefined> {
  const { nodes } = CoordinatorStatus.parse(await (await request("/status")).json());
  return nodes.list.find((node) => node.nodeId === nodeId);
}

describe("what the coordinator shows of a node", () => {
  test("is what its heartbeats say: the device, what its choice rests on, the round it gave up", async () => {
    const node = await ProtocolNode.join(request);
    expect(await statusOf(node)).toMatchObject({ device: "none", probes: [], fault: null });
    const told = { ...PLAIN, backend: "webgpu", device: "Apple M2", probes: PROBES, fault: FAULT };
    expect((await beat(node, told)).status).toBe(200);
    expect(await statusOf(node)).toMatchObject({
      backend: "webgpu",
      device: "Apple M2",
      probes: PROBES,
      fault: FAULT,
    });
  });

  test("forgets a fault when a later heartbeat has none, whether it says so or is silent", async () => {
    const node = await ProtocolNode.join(request);
    for (const without of [{ ...PLAIN, fault: null }, PLAIN]) {
      await beat(node, { ...PLAIN, fault: FAULT });
      expect((await statusOf(node))?.fault).toEqual(FAULT);
      await beat(node, without);
      expect((await statusOf(node))?.fault).toBeNull();
    }
  });

  test("is told to the dashboards when a fault comes and when it goes, not when nothing has changed", async () => {
    const node = await ProtocolNode.join(request);
    await beat(node, PLAIN);
    const told: unknown[] = [];
    coordinator.feed.listen((entry) => {
      if (entry?.event.kind === "node") told.push(entry.event.node.fault?.code ?? null);
    });
    for (const fault of [null, FAULT, FAULT, null]) await beat(node, { ...PLAIN, fault });
    expect(told).toEqual(["diverged", null]);
  });

  test.each([
    { what: "an unknown code", change: { fault: { ...FAULT, code: "boom" } } },
    { what: "a message without end", change: { fault: { ...FAULT, message: "x".repeat(301) } } },
    { what: "a rate below zero", change: { probes: [{ ...PROBES[0], examplesPerSecond: -1 }] } },
    { what: "five probes", change: { probes: Array(5).fill(PROBES[0]) } },
    { what: "a field of its own", change: { fault: { ...FAULT, html: "<b>" } } },
  ])("does not change by a heartbeat with $what, which is refused", async ({ change }) => {
    const node = await ProtocolNode.join(request);
    const answer = await beat(node, { ...PLAIN, ...change });
    expect(answer.status).toBe(400);
    expect(await statusOf(node)).toMatchObject({ probes: [], fault: null });
  });

  test("is there again after a restart, from records that hold neither probes nor faults", async () => {
    const node = await ProtocolNode.join(request);
    await beat(node, { ...PLAIN, probes: PROBES, fault: FAULT });
    const [record] = await coordinator.store.list("nodes/");
    expect(Object.keys(record?.value ?? {}).toSorted()).toEqual(
      ["capabilities", "name", "nodeId", "secretHash", "task"].toSorted(),
    );
    coordinator = await coordinator.restart();
    expect(await statusOf(node)).toMatchObject({ state: "lost", probes: [], fault: null });
    await beat(node, { ...PLAIN, probes: PROBES, fault: FAULT });
    expect(await statusOf(node)).toMatchObject({ state: "waiting", probes: PROBES, fault: FAULT });
  });
});
