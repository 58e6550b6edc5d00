import { describe, expect, test } from "vitest";
import { CALIBRATION_MS, calibrate, fastest, warmUp } from "../../../../client/backend/calibration.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import type { ModelSpec } from "../../../../protocol/model.ts";
import { FakeBackend, LeapingClock, pacedBackend } from "./fakes.ts";

const MODEL: ModelSpec = {
  inputs: 5,
  hidden: [16],
  outputs: 3,
  activation: "relu",
  head: "softmax-cross-entropy",
};

const WORK = {
  model: MODEL,
  training: localTraining({
    localEpochs: 1,
    batchSize: 64,
    localLearningRate: 0.1,
    optimizer: { kind: "sgd" },
  }),
  rows: 1_000_000,
};

/** Never done, as on a device that hangs. */
const endless = (): Promise<number> => new Promise(() => {});

describe("a calibration", () => {
  test("measures what each backend does in a second, and the faster one wins", async () => {
    const clock = new LeapingClock();
    const backends = [pacedBackend("wasm", clock, 51_000), pacedBackend("webgpu", clock, 210_000)];
    const probes = await calibrate(backends, WORK, clock);
    expect(probes.map(({ backend, device }) => [backend, device])).toEqual([
      ["wasm", "fake wasm"],
      ["webgpu", "fake webgpu"],
    ]);
    expect(probes[0]?.examplesPerSecond).toBeCloseTo(51_000, 3);
    expect(probes[1]?.examplesPerSecond).toBeCloseTo(210_000, 3);
    expect(fastest(probes)).toBe(1);
  });

  test.each([800, 10_000, 1e6, 1e8])("stays within its time at %i examples a second", async (rate) => {
    const clock = new LeapingClock();
    await calibrate([pacedBackend("wasm", clock, rate), pacedBackend("webgpu", clock, rate)], WORK, clock);
    // An epoch is only begun where one as long as the last still fits.
    expect(clock.now()).toBeLessThanOrEqual(CALIBRATION_MS);
  });

  test("counts what a launch costs: the device that is faster in long epochs loses on few rows", async () => {
    const clock = new LeapingClock();
    const launched = new FakeBackend("webgpu", (_epoch, _device, rows) => {
      clock.advance(5 + rows / 1_000);
      return 1;
    });
    const backends = [pacedBackend("wasm", clock, 100_000), launched];
    expect(fastest(await calibrate(backends, { ...WORK, rows: 200 }, clock))).toBe(0);
    expect(fastest(await calibrate(backends, { ...WORK, rows: 50_000 }, clock))).toBe(1);
  });

  test("ends at its first step where that alone takes too long, and knows the rate from it", async () => {
    const clock = new LeapingClock();
    const slow = pacedBackend("wasm", clock, 10);
    const [probe] = await calibrate([slow], WORK, clock);
    expect(slow.epochs).toBe(1);
    expect(probe?.examplesPerSecond).toBeCloseTo(10, 6);
  });

  test.each([
    { fault: "throws", script: () => Promise.reject(new Error("validation failed")) },
    { fault: "hangs", script: endless },
  ])("a backend that $fault has no rate, loses, and holds nobody up", async ({ script }) => {
    const clock = new LeapingClock();
    const backends = [new FakeBackend("webgpu", script), pacedBackend("wasm", clock, 10)];
    const probes = await calibrate(backends, WORK, clock);
    expect(probes.map(({ examplesPerSecond }) => examplesPerSecond === null)).toEqual([true, false]);
    expect(fastest(probes)).toBe(1);
  });

  test("a backend that hangs later keeps the rate it had before", async () => {
    const clock = new LeapingClock();
    const hanging = new FakeBackend("webgpu", (epoch, _device, rows) => {
      if (epoch > 2) return endless();
      clock.advance(rows);
      return 1;
    });
    expect(await calibrate([hanging], WORK, clock)).toMatchObject([{ examplesPerSecond: 1_000 }]);
  });

  test("gives the first backend when all have failed", () => {
    const failed = { device: "", examplesPerSecond: null };
    expect(
      fastest([
        { backend: "wasm", ...failed },
        { backend: "webgpu", ...failed },
      ]),
    ).toBe(0);
  });

  test("trains the real model at the real batch size, with targets its head takes, and frees everything", async () => {
    const clock = new LeapingClock();
    const backend = pacedBackend("wasm", clock, 1e5);
    const seen: unknown[] = [];
    let held = 0;
    const trainer = backend.trainer.bind(backend);
    backend.trainer = async (request) => {
      const { model, training, set } = request;
      seen.push([model.inputs, training.batchSize, set.x.rows, set.x.cols, set.targets.kind]);
      held += 1;
      return { ...(await trainer(request)), dispose: () => void (held -= 1) };
    };
    await calibrate([backend], WORK, clock);
    expect(await warmUp(backend, { ...WORK, model: { ...MODEL, head: "gaussian", outputs: 4 } }, clock)).toBe(
      true,
    );
    expect(seen).toEqual([
      [5, 64, 64, 5, "class"],
      [5, 64, 64, 5, "value"],
    ]);
    expect(held).toBe(0);
    expect(backend.prepared).toBe(2);
  });
});

test("warming up trains for one short epoch and says whether that works", async () => {
  const clock = new LeapingClock();
  const good = pacedBackend("webgpu", clock, 100);
  expect(await warmUp(good, WORK, clock)).toBe(true);
  expect(good.epochs).toBe(1);
  expect(await warmUp(new FakeBackend("webgpu", endless), WORK, clock)).toBe(false);
});
