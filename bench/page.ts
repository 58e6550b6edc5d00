// The page on which backends are timed; `browser.ts` calls it.
import { getThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { createWebgpuBackend } from "../client/backend/webgpu.ts";
import { prepare } from "./page/preprocessing.ts";
import { duel } from "./page/training.ts";

const page = {
  duel,
  prepare,
  /** The WebGPU adapter's description. */
  async adapter(): Promise<string> {
    const backend = await createWebgpuBackend();
    backend.dispose();
    return backend.device;
  },
  /** Threads of TensorFlow.js's WebAssembly backend, once it has been used. */
  tensorflowThreads: (): number => getThreadsCount(),
};

/** What the page offers, as `globalThis.bench`. */
export type BenchPage = typeof page;

declare global {
  var bench: BenchPage;
}

globalThis.bench = page;
