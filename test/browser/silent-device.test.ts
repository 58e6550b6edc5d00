import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openGpu } from "../../client/backend/webgpu/device.ts";
import { answered, PATIENCE } from "../../client/backend/webgpu/training/watchdog.ts";

const silence = new Promise<never>(() => {});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a device that has said nothing for 20 s is lost, for whoever waits for it", async () => {
  const gpu = await openGpu();
  const waiting = answered(gpu, silence, PATIENCE);
  const beside = gpu.settled(silence);
  const failures = Promise.allSettled([waiting, beside]);
  let lost: string | null = null;
  void gpu.lost.then((reason) => {
    lost = reason;
  });
  await vi.advanceTimersByTimeAsync(19_999);
  expect(lost).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  expect(lost).toBe("it did not answer for 20 s");
  for (const failure of await failures) {
    expect(failure).toHaveProperty("reason.code", "device_lost");
    expect(failure).toHaveProperty("reason.message", expect.stringContaining("not answer for 20 s"));
  }
});

test("after a sleep of hours a device has a second left to answer", async () => {
  const gpu = await openGpu();
  let answer: (word: string) => void = () => {};
  const promise = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const waiting = answered(gpu, promise, PATIENCE);
  // Timers that came due during the sleep fire at once when it ends.
  await vi.advanceTimersByTimeAsync(19_000);
  answer("awake");
  expect(await waiting).toBe("awake");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await gpu.settled(Promise.resolve("still there"))).toBe("still there");
  gpu.dispose();
});
