import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Trainer } from "../../client/backend/backend.ts";
import { Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { uploadMatrix } from "../../client/backend/webgpu/matrix.ts";
import { createWebgpuTrainer } from "../../client/backend/webgpu/training/trainer.ts";
import { TunedPipelines } from "../../client/backend/webgpu/tuned-pipelines.ts";
import { createWebgpuBackend, type WebgpuBackend } from "../../client/backend/webgpu.ts";
import { describeBackend } from "../conformance/backend.ts";
import { trainingWith, withTrainer } from "../conformance/backend-run.ts";
import { constantRates, inOrder, problem, startAt } from "../conformance/samples.ts";
import { firstDifference, relativeDistance } from "../oracle/close.ts";
import { lossGradient } from "../oracle/network.ts";

describeBackend("webgpu", createWebgpuBackend);

const ADAM = trainingWith({ kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, 50);
const given = problem({ widths: [7, 64, 32, 3], head: "softmax-cross-entropy", rows: 333, seed: 91 });
const RATES = constantRates(given.rows, 50, 0.01);

async function trained(trainer: Trainer): Promise<Float32Array<ArrayBuffer>> {
  trainer.load(startAt(given.parameters));
  await trainer.epoch(inOrder(given.rows), RATES);
  return trainer.parameters();
}

describe("the webgpu backend alone", () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await createWebgpuBackend();
  });
  afterAll(() => backend?.dispose());

  test("says that it computes on the processor", () => {
    expect(backend.isSoftware).toBe(true);
    expect(backend.device).toBe("google swiftshader (software)");
  });

  test("gives the same bits on another device", async () => {
    const first = await withTrainer(backend, given, ADAM, trained);
    const other = await createWebgpuBackend();
    const second = await withTrainer(other, given, ADAM, trained);
    other.dispose();
    expect(firstDifference(second, first)).toBeNull();
  });

  test("fifty trainers side by side are made and freed, and work", async () => {
    const x = backend.matrix(given.x, given.rows, 7);
    const set = { x, targets: given.targets };
    const request = { model: given.model, training: ADAM, set };
    const making = Array.from({ length: 50 }, () => backend.trainer(request));
    const trainers = await Promise.all(making);
    const [first, ...others] = await Promise.all(trainers.map(trained));
    for (const trainer of trainers) trainer.dispose();
    x.dispose();
    expect(others.map((found) => firstDifference(found, first ?? []))).toEqual(others.map(() => null));
  });

  test("a trainer disposed under a pending local epoch says so, and the backend goes on", async () => {
    const x = backend.matrix(given.x, given.rows, 7);
    const set = { x, targets: given.targets };
    const trainer = await backend.trainer({ model: given.model, training: ADAM, set });
    const pending = trainer.epoch(inOrder(given.rows), RATES);
    trainer.dispose();
    await expect(pending).rejects.toMatchObject({ code: "device_lost" });
    expect((await backend.read(x)).length).toBe(given.x.length);
    x.dispose();
  });

  test("rows outside the order change nothing, not even where they are not finite", async () => {
    const holed = { ...given, x: given.x.map((value, i) => (i >= 5 * 7 ? Number.NaN : value)) };
    const fiveRows = (trainer: Trainer) => trainer.gradient(inOrder(5)); // a tile has eight
    const found = await withTrainer(backend, holed, ADAM, fiveRows);
    const expected = await withTrainer(backend, given, ADAM, fiveRows);
    expect(found.loss).toBe(expected.loss);
    expect(firstDifference(found.gradient, expected.gradient)).toBeNull();
  });
});

describe("a GPU of small buffers", () => {
  const SMALL = 9000; // bytes: two groups of layers, and parts of 32 rows
  let gpu: Gpu;
  beforeAll(async () => {
    const { device } = await openGpu();
    gpu = new Gpu(device, device.adapterInfo, SMALL);
  });
  afterAll(() => gpu?.dispose());

  const withSmallTrainer = async <T>(work: (trainer: Trainer) => Promise<T>): Promise<T> => {
    // The features take 10 kB; only the trainer is to be short of room.
    const roomy = new Gpu(gpu.device, gpu.device.adapterInfo);
    const x = uploadMatrix(roomy, given.x, given.rows, 7);
    const input = { model: given.model, training: ADAM, set: { x, targets: given.targets } };
    const trainer = await createWebgpuTrainer(gpu, new TunedPipelines(gpu), input);
    trainer.load(startAt(given.parameters));
    try {
      return await work(trainer);
    } finally {
      trainer.dispose();
      x.dispose();
    }
  };

  test("trains in parts as one of large buffers in whole batches", async () => {
    const whole = await createWebgpuBackend();
    const expected = await withTrainer(whole, given, ADAM, trained);
    whole.dispose();
    // Sums in another order: a few roundings over seven steps of Adam, which divides by them.
    expect(relativeDistance(await withSmallTrainer(trained), expected)).toBeLessThan(1e-4);
  });

  test("sums a gradient over parts", async () => {
    const found = await withSmallTrainer((trainer) => trainer.gradient(inOrder(given.rows)));
    const expected = lossGradient(given.network, given.parameters, given.examples, inOrder(given.rows));
    expect(relativeDistance(found.gradient, expected.gradient)).toBeLessThan(1e-5);
    expect(relativeDistance([found.loss], [expected.loss])).toBeLessThan(1e-5);
  });

  test("gives outputs over parts", async () => {
    const found = await withSmallTrainer((trainer) => trainer.outputs());
    const whole = await createWebgpuBackend();
    const expected = await withTrainer(whole, given, ADAM, (trainer) => trainer.outputs());
    whole.dispose();
    expect(firstDifference(found, expected)).toBeNull();
  });

  test("refuses a matrix that it has no buffer for as too_large", () => {
    expect(() => uploadMatrix(gpu, new Float32Array(4000), 1000, 4)).toThrowError(
      expect.objectContaining({ code: "too_large" }),
    );
  });
});
