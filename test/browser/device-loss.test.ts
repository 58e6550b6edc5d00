import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import { type Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { readMatrix, uploadMatrix } from "../../client/backend/webgpu/matrix.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import { trainingWith } from "../conformance/backend-run.ts";
import { constantRates, problem, startAt } from "../conformance/samples.ts";

const LOST = { name: "AstroScaleError", code: "device_lost" };
const given = problem({ widths: [7, 64, 32, 3], head: "softmax-cross-entropy", rows: 2000, seed: 5 });
const { model, targets } = given;
const training = trainingWith({ kind: "sgd" }, 8);

/** Ends Chromium's GPU process, as a driver's reset does. */
async function crashGpuProcess(): Promise<void> {
  const session = cdp() as unknown as { send(method: string): Promise<unknown> };
  await session.send("Browser.crashGpuProcess");
}

// One crash for all: Chromium gives no adapter for minutes after a second one.
test("a crashed GPU process ends a pending epoch, what compiles and all later work as device_lost", async () => {
  const backend = await createWebgpuBackend();
  const x = backend.matrix(given.x, given.rows, 7);
  const request = { model, training, set: { x, targets } };
  const trainer = await backend.trainer(request);
  trainer.load(startAt(given.parameters));
  // Seconds of work: the crash takes a while to reach the GPU process.
  const long = Uint32Array.from({ length: 50 * given.rows }, (_, i) => i % given.rows);
  const pending = trainer.epoch(long, constantRates(long.length, 8, 0.01)).catch((error: unknown) => error);
  const other = await createWebgpuBackend();
  // Seconds of compiling.
  const wide = { ...model, hidden: [300, 300], activation: "gelu" as const };
  const preparing = other.prepare(wide, training).catch((error: unknown) => error);
  await crashGpuProcess();
  expect(await pending).toMatchObject(LOST);
  expect(await preparing).toMatchObject(LOST);
  expect(await backend.lost).not.toBe("");
  expect(await other.lost).not.toBe("");
  other.dispose();

  trainer.load(startAt(given.parameters));
  await expect(trainer.parameters()).rejects.toMatchObject(LOST);
  await expect(backend.moments(x)).rejects.toMatchObject(LOST);
  await expect(backend.read(backend.matrix(given.x, given.rows, 7))).rejects.toMatchObject(LOST);
  await expect(backend.prepare(model, trainingWith({ kind: "sgd" }, 16))).rejects.toMatchObject(LOST);
  await expect(backend.trainer(request)).rejects.toMatchObject(LOST);
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
  request.mockRestore();
});

describe("a device in trouble", () => {
  let gpu: Gpu;
  beforeEach(async () => {
    gpu = await openGpu();
  });
  afterEach(() => gpu?.dispose());

  test("that is destroyed by others is lost", async () => {
    gpu.device.destroy();
    expect(await gpu.lost).toContain("destroyed");
    await expect(gpu.settled(Promise.resolve(1))).rejects.toMatchObject(LOST);
  });

  test("that refused a command says so in the next answer", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    gpu.device.queue.writeBuffer(x.buffer, 2 ** 20, new Float32Array(4));
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({
      code: "internal",
      message: expect.stringMatching(/^the GPU refused a command: /),
    });
  });

  test("that is given up is lost for the reason given, and freed", async () => {
    const waiting = gpu.settled(new Promise<never>(() => {}));
    gpu.loseBecause("it does not answer");
    await expect(waiting).rejects.toMatchObject({ ...LOST, message: expect.stringMatching(/not answer$/) });
    expect(await gpu.lost).toBe("it does not answer");
    expect((await gpu.device.lost).reason).toBe("destroyed");
  });

  test("that refused a command refuses the rest, so that its node goes on with another", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    gpu.device.createBindGroup({
      layout: gpu.device.createBindGroupLayout({ entries: [] }),
      entries: [{ binding: 0, resource: { buffer: x.buffer } }],
    });
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({ code: "internal" });
    await expect(readMatrix(gpu, uploadMatrix(gpu, given.x, given.rows, 7))).rejects.toMatchObject({
      code: "internal",
    });
  });
});
