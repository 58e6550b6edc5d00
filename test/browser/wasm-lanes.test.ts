import * as Comlink from "comlink";
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import type { LanesWorker } from "./wasm-lanes-entry.ts";
// oxlint-disable-next-line import/default -- Vite makes this module
import LanesEntry from "./wasm-lanes-entry.ts?worker";

/** Asks a web worker, which may wait for others as a page may not. */
async function inWorker<T>(ask: (worker: Comlink.Remote<LanesWorker>) => Promise<T>): Promise<T> {
  const worker = new LanesEntry();
  try {
    return await ask(Comlink.wrap<LanesWorker>(worker));
  } finally {
    worker.terminate();
  }
}

describe("lanes of the wasm backend in a browser", () => {
  test("train to the same bits on 1, 2, 3 and 5 threads of a worker", async () => {
    const [one, ...others] = await inWorker(async (worker) => [
      await worker.train(1),
      await worker.train(2),
      await worker.train(3),
      await worker.train(5),
    ]);
    expect(one?.device).toBe("WebAssembly relaxed SIMD, 1 thread");
    expect(others.map(({ device }) => device)).toEqual(
      [2, 3, 5].map((threads) => `WebAssembly relaxed SIMD, ${threads} threads`),
    );
    for (const { bits } of others) expect(bits).toEqual(one?.bits);
  });

  test("are none on a page's main thread, which must not wait", async () => {
    const backend = await createWasmBackend({ threads: 4 });
    expect(backend.device).toBe("WebAssembly relaxed SIMD, 1 thread");
    backend.dispose();
  });
});
