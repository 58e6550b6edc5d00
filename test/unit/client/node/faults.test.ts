import { describe, expect, test } from "vitest";
import { fewerRowsAtOnce } from "../../../../client/node/rows-at-once.ts";
import { AstroScaleError, type ErrorCode } from "../../../../protocol/errors.ts";
import { FakeCoordinator, refusal } from "./fake-coordinator.ts";
import { FakeBackend } from "./fakes.ts";
import { startNode, until } from "./start.ts";

/** A device whose every local epoch fails. */
function failing(name: "webgpu" | "wasm", code: ErrorCode, message: string): FakeBackend {
  return new FakeBackend(name, () => Promise.reject(new AstroScaleError(code, message)));
}

describe("a node that is short of memory", () => {
  test("halves the rows computed at once until they fit, in the same round, and says so", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.batchSize = 4096;
    const small = new FakeBackend("wasm", (epoch) => {
      if (epoch > 2) return 1;
      throw new AstroScaleError("out_of_memory", "no 8 MB left");
    });
    const { node, states, last } = startNode(coordinator, { backends: [small] });
    await node.ended;

    expect(small.rowsAtOnce).toEqual([undefined, 512, 256]);
    expect(coordinator.updates.map(({ round }) => round)).toEqual([0, 1, 2]);
    const notice = "memory is short (no 8 MB left): computing 256 rows at once";
    expect(last()).toMatchObject({ phase: "finished", notice, fault: null });
    expect(states.some(({ fault }) => fault !== null)).toBe(false);
  });

  test("opens its device twice again at 64 rows, then goes on with webassembly in one piece", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.batchSize = 256;
    const gpus = [1, 2, 3].map(() => failing("webgpu", "out_of_memory", "heap exhausted"));
    const spare = new FakeBackend("wasm");
    const opened: string[] = [];
    const { node, last } = startNode(coordinator, {
      backends: [...gpus, spare],
      onOpen: (choice) => opened.push(choice),
    });
    await node.ended;

    expect(gpus.map(({ rowsAtOnce }) => rowsAtOnce)).toEqual([[undefined, 128, 64], [64], [64]]);
    expect(gpus.every(({ disposed }) => disposed)).toBe(true);
    expect(opened).toEqual(["auto", "webgpu", "webgpu", "wasm"]);
    expect(spare.rowsAtOnce).toEqual([undefined]);
    expect(coordinator.updates.map(({ backend }) => backend)).toEqual(["webgpu", "wasm", "wasm"]);
    expect(last()?.notice).toBe("the webgpu device failed (heap exhausted): going on with wasm");
  });

  test("gives a round up that not even webassembly has room for, reports it and stays", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.batchSize = 64;
    const backends = [1, 2, 3].map(() => failing("wasm", "out_of_memory", "4 GB are full"));
    const { node, last } = startNode(coordinator, { backends });
    await until(() => coordinator.heartbeats.some(({ fault }) => fault != null));

    expect(last()).toMatchObject({ phase: "waiting", backend: "wasm" });
    expect(coordinator.heartbeats.at(-1)?.fault).toEqual({
      round: 1,
      code: "out_of_memory",
      message: "4 GB are full",
    });
    await node.stop();
  });

  test("halves from the batch or 1024, whichever is less, down to 64", () => {
    const ladder = (batchSize: number): number[] => {
      const steps: number[] = [];
      for (let at = fewerRowsAtOnce(null, batchSize); at !== null; at = fewerRowsAtOnce(at, batchSize)) {
        steps.push(at);
      }
      return steps;
    };
    expect(ladder(65_536)).toEqual([512, 256, 128, 64]);
    expect(ladder(300)).toEqual([150, 75, 64]);
    expect(ladder(64)).toEqual([]);
    expect(ladder(1)).toEqual([]);
    // What was found on a task of long batches is of no use where batches are shorter.
    expect(fewerRowsAtOnce(512, 128)).toBe(64);
  });
});

describe("a node whose device fails", () => {
  test("replaces one that refuses its work, as it does a lost one", async () => {
    const coordinator = new FakeCoordinator();
    const refusing = failing("webgpu", "internal", "invalid buffer");
    const { node, last } = startNode(coordinator, { backends: [refusing, new FakeBackend("webgpu")] });
    await node.ended;
    expect(coordinator.updates).toHaveLength(3);
    expect(last()).toMatchObject({
      phase: "finished",
      notice: "the webgpu device failed (invalid buffer): opened it again",
    });
  });

  test("goes to webassembly at once when the work is too large for the device", async () => {
    const coordinator = new FakeCoordinator();
    const opened: string[] = [];
    const { node } = startNode(coordinator, {
      backends: [failing("webgpu", "too_large", "a buffer of 9 GB"), new FakeBackend("wasm")],
      onOpen: (choice) => opened.push(choice),
    });
    await node.ended;
    expect(opened).toEqual(["auto", "wasm"]);
    expect(coordinator.updates).toHaveLength(3);
  });

  test("fails when webassembly itself breaks three times", async () => {
    const coordinator = new FakeCoordinator();
    const backends = [1, 2, 3].map(() => failing("wasm", "internal", "unreachable executed"));
    const { node, last } = startNode(coordinator, { backends });
    await node.ended;
    expect(last()).toMatchObject({ phase: "failed", error: { code: "device_unavailable" } });
  });
});

describe("a round given up", () => {
  test("is reported with its code, and no longer once a later round has succeeded", async () => {
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

    const fault = { round: 1, code: "diverged", message: "loss is NaN after local epoch 2" };
    expect(states.some((state) => state.fault?.code === "diverged")).toBe(true);
    expect(states.at(-1)).toMatchObject({ phase: "finished", fault: null });
    const told = coordinator.heartbeats.map((heartbeat) => heartbeat.fault);
    expect(told).toContainEqual(fault);
    expect(told.at(-1)).toBeNull();
    expect(coordinator.updates.map(({ round }) => round)).toEqual([0, 2]);
  });

  test("is not reported when the coordinator itself refused the update", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.intercept = ({ path }) =>
      path === "/federated/update" && coordinator.round === 1 ? refusal(422, "norm_exceeded") : null;
    const { node, last } = startNode(coordinator);
    await until(() => last()?.notice?.includes("norm_exceeded") === true);
    await until(() => coordinator.heartbeats.length > 1);
    await node.stop();
    expect(coordinator.heartbeats.every(({ fault }) => fault === null)).toBe(true);
  });
});
