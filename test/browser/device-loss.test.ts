import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import { Gpu } from "../../client/backend/webgpu/device.ts";
import { readMatrix, uploadMatrix } from "../../client/backend/webgpu/matrix.ts";
import { createWebgpuBackend, hasHardwareAdapter } from "../../client/backend/webgpu.ts";
import { problem } from "../conformance/samples.ts";

const LOST = { name: "AstroScaleError", code: "device_lost" };
const given = problem({ widths: [7, 64, 32, 3], head: "softmax-cross-entropy", rows: 2000, seed: 5 });
const training = {
  localEpochs: 1,
  batchSize: 8,
  localLearningRate: 0.01,
  optimizer: { kind: "sgd" },
} as const;

/** Ends Chromium's GPU process, as a driver's reset does. */
async function crashGpuProcess(): Promise<void> {
  const session = cdp() as unknown as { send(method: string): Promise<unknown> };
  await session.send("Browser.crashGpuProcess");
}

test("a crashed GPU process ends a pending epoch and all later work as device_lost", async () => {
  const backend = await createWebgpuBackend();
  const x = backend.matrix(given.x, given.rows, 7);
  const trainer = await backend.trainer(given.model, training, { x, targets: given.targets });
  trainer.load(given.parameters);
  // Seconds of work: the crash takes a while to reach the GPU process.
  const long = Uint32Array.from({ length: 50 * given.rows }, (_, i) => i % given.rows);
  const pending = trainer.epoch(long).catch((error: unknown) => error);
  await crashGpuProcess();
  expect(await pending).toMatchObject(LOST);
  expect(await backend.lost).not.toBe("");

  await expect(trainer.parameters()).rejects.toMatchObject(LOST);
  await expect(backend.moments(x)).rejects.toMatchObject(LOST);
  await expect(backend.read(backend.matrix(given.x, given.rows, 7))).rejects.toMatchObject(LOST);
  await expect(backend.trainer(given.model, training, { x, targets: given.targets })).rejects.toMatchObject(
    LOST,
  );
  trainer.dispose();
  backend.dispose();
});

test("after a crash a new backend works on a new adapter", async () => {
  const backend = await createWebgpuBackend();
  const x = backend.matrix(given.x, given.rows, 7);
  expect(await backend.read(x)).toEqual(given.x);
  backend.dispose();
});

test("a disposed backend rejects what was pending and what comes after, and is not lost", async () => {
  const backend = await createWebgpuBackend();
  const told: string[] = [];
  void backend.lost.then((reason) => told.push(reason));
  const x = backend.matrix(given.x, given.rows, 7);
  const pending = backend.read(x).catch((error: unknown) => error);
  backend.dispose();
  expect(await pending).toMatchObject(LOST);
  await expect(backend.moments(x)).rejects.toMatchObject(LOST);
  expect(told).toEqual([]);
});

test("a browser without an adapter is refused as device_unavailable", async () => {
  const request = vi.spyOn(navigator.gpu, "requestAdapter").mockResolvedValue(null);
  const opening = createWebgpuBackend().catch((error: unknown) => error);
  expect(await opening).toMatchObject({ name: "AstroScaleError", code: "device_unavailable" });
  expect(await hasHardwareAdapter()).toBe(false);
  request.mockRestore();
});

describe("a device in trouble", () => {
  let gpu: Gpu;
  beforeEach(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) throw new Error("unreachable: the tests' Chromium has an adapter");
    gpu = new Gpu(await adapter.requestDevice(), adapter.info);
  });
  afterEach(() => gpu?.dispose());

  test("that is destroyed by others is lost", async () => {
    gpu.device.destroy();
    expect(await gpu.lost).toContain("destroyed");
    await expect(gpu.settled(Promise.resolve(1))).rejects.toMatchObject(LOST);
  });

  test("that runs out of memory is lost, in so many words", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    const error = new GPUOutOfMemoryError("no room for 12 bytes");
    gpu.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    const message = "the GPU ran out of memory: no room for 12 bytes";
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({ ...LOST, message });
    expect(await gpu.lost).toBe(message);
  });

  test("that refused a command says so in the next answer", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    gpu.device.queue.writeBuffer(x.buffer, 2 ** 20, new Float32Array(4));
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(/^the GPU refused a command: /),
    });
  });

  test("that has no memory for a trainer frees what it had and goes on", async () => {
    let freed = false;
    const allocate = (): void => {
      throw new Error("no room");
    };
    const free = (): void => {
      freed = true;
    };
    await expect(gpu.allocated(allocate, free)).rejects.toThrowError("no room");
    expect(freed).toBe(true);
    await expect(gpu.allocated(() => 7, free)).resolves.toBe(7);
  });
});
