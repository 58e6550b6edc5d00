import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Buffers } from "../../client/backend/webgpu/buffers.ts";
import { type Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { readMatrix, uploadMatrix } from "../../client/backend/webgpu/matrix.ts";
import { MOMENTS_CONSTANTS, moments } from "../../client/backend/webgpu/moments.ts";
import { impute } from "../../client/backend/webgpu/preprocessing.ts";
import { createWebgpuTrainer } from "../../client/backend/webgpu/training/trainer.ts";
import { TunedPipelines } from "../../client/backend/webgpu/tuned-pipelines.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import { trainingWith } from "../conformance/backend-run.ts";
import { constantRates, inOrder, problem, startAt } from "../conformance/samples.ts";

const FULL = { name: "AstroScaleError", code: "out_of_memory" };
const given = problem({ widths: [7, 16, 3], head: "softmax-cross-entropy", rows: 200, seed: 23 });
const { model, targets } = given;
const training = trainingWith({ kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, 64, {
  gradientClipNorm: 1,
});

afterEach(() => vi.restoreAllMocks());

/**
 * Makes the device run out of memory for buffers whose label begins so: such a buffer is invalid, and the error
 * scope around its making says so, as in a GPU that is full.
 */
function lackMemoryFor({ device }: Gpu, label: string): void {
  const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const lacking: boolean[] = [];
  vi.spyOn(device, "pushErrorScope").mockImplementation((filter) => {
    pushErrorScope.call(device, filter);
    lacking.push(false);
  });
  vi.spyOn(device, "createBuffer").mockImplementation((descriptor) => {
    if (!descriptor.label?.startsWith(label)) return createBuffer.call(device, descriptor);
    lacking[lacking.length - 1] = true;
    pushErrorScope.call(device, "validation");
    const invalid = createBuffer.call(device, { ...descriptor, usage: 0 });
    void popErrorScope.call(device);
    return invalid;
  });
  vi.spyOn(device, "popErrorScope").mockImplementation(async () => {
    const lacked = lacking.pop();
    const error = await popErrorScope.call(device);
    return lacked ? new GPUOutOfMemoryError(`no room for ${label}`) : error;
  });
}

describe("a GPU without memory", () => {
  let gpu: Gpu;
  beforeEach(async () => {
    gpu = await openGpu();
  });
  afterEach(() => gpu?.dispose());

  test("for a matrix says so until the matrix is freed, and then works as before", async () => {
    lackMemoryFor(gpu, "a matrix of 200 x 7");
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({
      ...FULL,
      message: "the GPU ran out of memory: no room for a matrix of 200 x 7",
    });
    const other = uploadMatrix(gpu, given.x, 1400, 1);
    await expect(readMatrix(gpu, other)).rejects.toMatchObject(FULL);
    x.dispose();
    expect(await readMatrix(gpu, other)).toEqual(given.x);
  });

  test("for what a matrix was changed by says so until that matrix is freed", async () => {
    const kernel = await new TunedPipelines(gpu).get("impute");
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    lackMemoryFor(gpu, "fill");
    impute(gpu, kernel, x, new Float32Array(7));
    await gpu.device.queue.onSubmittedWorkDone();
    await expect(readMatrix(gpu, x)).rejects.toMatchObject(FULL);
    x.dispose();
    const other = uploadMatrix(gpu, given.x, given.rows, 7);
    expect(await readMatrix(gpu, other)).toEqual(given.x);
  });

  test("for a result fails that result alone", async () => {
    const kernel = await new TunedPipelines(gpu).get("moments", MOMENTS_CONSTANTS);
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    lackMemoryFor(gpu, "moments of");
    await expect(moments(gpu, kernel, x)).rejects.toMatchObject(FULL);
    vi.restoreAllMocks();
    expect(await moments(gpu, kernel, x)).toHaveLength(7);
  });

  test("for a readback fails that answer alone", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    lackMemoryFor(gpu, "readback");
    await expect(readMatrix(gpu, x)).rejects.toMatchObject(FULL);
    vi.restoreAllMocks();
    expect(await readMatrix(gpu, x)).toEqual(given.x);
  });

  test("for a trainer refuses it, frees what it had, and trains a smaller one", async () => {
    const pipelines = new TunedPipelines(gpu);
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    const request = { model, training, set: { x, targets } };
    lackMemoryFor(gpu, "units");
    await expect(createWebgpuTrainer(gpu, pipelines, request)).rejects.toMatchObject(FULL);
    vi.restoreAllMocks();
    const trainer = await createWebgpuTrainer(gpu, pipelines, { ...request, maxRowsAtOnce: 32 });
    trainer.load(startAt(given.parameters));
    expect(await trainer.epoch(inOrder(200), constantRates(200, 64, 0.01))).toBeGreaterThan(0);
  });

  test("in the middle of work has nothing left to rely on: it is lost, in so many words", async () => {
    const x = uploadMatrix(gpu, given.x, given.rows, 7);
    const error = new GPUOutOfMemoryError("no room for 12 bytes");
    gpu.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    const message = "the GPU ran out of memory: no room for 12 bytes";
    await expect(readMatrix(gpu, x)).rejects.toMatchObject({ ...FULL, message });
    expect(await gpu.lost).toBe(message);
  });

  test("for what it refuses by its limits says too_large, and goes on", async () => {
    const absurd = 2 ** 50;
    expect(() => new Buffers(gpu).storage("everything", absurd)).toThrowError(
      expect.objectContaining({ code: "too_large" }),
    );
    expect(await readMatrix(gpu, uploadMatrix(gpu, given.x, given.rows, 7))).toEqual(given.x);
  });
});

/** Buffers made and not destroyed since the call. */
function countBuffers(): () => number {
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const live = new Set<GPUBuffer>();
  vi.spyOn(GPUDevice.prototype, "createBuffer").mockImplementation(function (this: GPUDevice, descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    live.add(buffer);
    return buffer;
  });
  vi.spyOn(GPUBuffer.prototype, "destroy").mockImplementation(function (this: GPUBuffer) {
    live.delete(this);
    destroy.call(this);
  });
  return () => live.size;
}

test("fifty rounds leave no buffer more than the first, and disposal none at all", async () => {
  const live = countBuffers();
  const backend = await createWebgpuBackend();
  const x = backend.matrix(given.x, given.rows, 7);
  const trainer = await backend.trainer({ model, training, set: { x, targets } });
  const correction = new Float32Array(given.parameters.length).fill(1e-3);
  const counts = new Set<number>();
  for (let round = 0; round < 50; round++) {
    const terms = round % 2 === 0 ? {} : { proximalMu: 0.1, correction };
    trainer.load(startAt(given.parameters, terms));
    await trainer.epoch(inOrder(200), constantRates(200, 64, 0.01));
    await trainer.parameters();
    await trainer.outputs();
    if (round > 0) counts.add(live());
  }
  expect(counts.size).toBe(1);
  trainer.dispose();
  x.dispose();
  expect(live()).toBe(0);
  backend.dispose();
});

test("fifty sets and trainers made and freed leave no buffer", async () => {
  const live = countBuffers();
  const backend = await createWebgpuBackend();
  for (let i = 0; i < 50; i++) {
    const columns = [given.x.subarray(0, given.rows)];
    const terms = Array.from({ length: 7 }, () => ({ plus: 0, minus: null }));
    const x = backend.encodeFeatures(columns, terms);
    backend.impute(x, new Float32Array(7));
    await backend.moments(x);
    const trainer = await backend.trainer({ model, training, set: { x, targets } });
    trainer.load(startAt(given.parameters));
    await trainer.gradient(inOrder(200));
    trainer.dispose();
    x.dispose();
    expect(live()).toBe(0);
  }
  backend.dispose();
});
