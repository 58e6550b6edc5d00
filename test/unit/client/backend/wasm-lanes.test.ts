import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../../../client/backend/backend.ts";
import type { LaneHandle, SpawnLane } from "../../../../client/backend/wasm/lane.ts";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { trainedBits } from "../../../conformance/lanes.ts";
import { laneThreads } from "../../../lane-thread.ts";

const file = (build: string): URL => new URL(`../../../../wasm/dist/${build}.wasm`, import.meta.url);
const shared = readFileSync(file("kernels-shared"));

async function withThreads(threads: number, spawnLane: SpawnLane): Promise<Backend> {
  return createWasmBackend({ kernels: await instantiateKernels(shared), threads, spawnLane });
}

afterEach(() => vi.useRealTimers());

describe("lanes of the wasm backend in Node", () => {
  test("train to the same bits on 1, 2, 3 and 5 threads, and as the build without threads", async () => {
    const { spawnLane } = await laneThreads();
    const alone = await createWasmBackend({
      kernels: await instantiateKernels(readFileSync(file("kernels"))),
    });
    const expected = await trainedBits(alone);
    for (const threads of [1, 2, 3, 5]) {
      const backend = await withThreads(threads, spawnLane);
      expect(backend.device).toBe(`WebAssembly SIMD, ${threads} thread${threads === 1 ? "" : "s"}`);
      expect(await trainedBits(backend), `${threads} threads`).toEqual(expected);
      backend.dispose();
    }
  });

  test("see memory that grew after they started", async () => {
    const { spawnLane } = await laneThreads();
    const backend = await withThreads(2, spawnLane);
    const expected = await trainedBits(backend);
    const large = backend.matrix(new Float32Array(2 ** 24), 2 ** 24, 1);
    expect(await trainedBits(backend)).toEqual(expected);
    large.dispose();
    backend.dispose();
  });

  test("end with the backend", async () => {
    const { spawnLane, allEnded } = await laneThreads();
    const backend = await withThreads(3, spawnLane);
    backend.dispose();
    await allEnded();
    expect(() => backend.matrix(new Float32Array(1), 1, 1)).toThrowError("used after it was disposed");
  });

  test("that never start are given up: the backend works on one thread", async () => {
    vi.useFakeTimers();
    const end = vi.fn<() => void>();
    const silent = (): LaneHandle => ({ ready: new Promise(() => {}), end });
    const opening = withThreads(3, silent);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await vi.advanceTimersByTimeAsync(5_000);
    const backend = await opening;
    expect(backend.device).toBe("WebAssembly SIMD, 1 thread");
    expect(end).toHaveBeenCalledTimes(2);
    expect(await trainedBits(backend)).toHaveLength(10);
  });

  test.each<[string, (start: LaneHandle) => LaneHandle]>([
    ["that break", (lane) => ({ ...lane, ready: Promise.reject(new Error("no thread")) })],
    [
      "that cannot be made",
      () => {
        throw new Error("no worker");
      },
    ],
  ])("%s leave none of them behind", async (_, spoil) => {
    const { spawnLane, allEnded } = await laneThreads();
    const backend = await withThreads(3, (start) =>
      start.lane === 2 ? spoil(spawnLane(start)) : spawnLane(start),
    );
    expect(backend.device).toBe("WebAssembly SIMD, 1 thread");
    expect(await trainedBits(backend)).toHaveLength(10);
    backend.dispose();
    await allEnded().catch(() => {});
  });

  test("are not started for a memory that is not shared", async () => {
    const spawnLane = vi.fn<SpawnLane>();
    const kernels = await instantiateKernels(readFileSync(file("kernels")));
    const backend = await createWasmBackend({ kernels, threads: 4, spawnLane });
    expect(backend.device).toBe("WebAssembly SIMD, 1 thread");
    expect(spawnLane).not.toHaveBeenCalled();
  });
});
