// The worker in which everything is timed: a backend with threads may not run on a page.
import * as Comlink from "comlink";
import { createWebgpuBackend } from "../client/backend/webgpu.ts";
import { turn } from "./page/contest.ts";
import { openLimits } from "./page/limits.ts";
import { prepare } from "./page/preprocessing.ts";
import { openProducts } from "./page/products.ts";
import { openInference, openTraining } from "./page/sides.ts";

const worker = {
  openTraining,
  openInference,
  openProducts,
  openLimits,
  turn,
  prepare,
  /** Threads that TensorFlow.js's WebAssembly says it uses, once it has been opened. */
  async tensorflowThreads(): Promise<number> {
    return (await import("./page/peers/tensorflow.ts")).tensorflowThreads();
  },
  /** The WebGPU adapter's description. */
  async adapter(): Promise<string> {
    const backend = await createWebgpuBackend();
    backend.dispose();
    return backend.device;
  },
};

/** What a worker is asked for; each takes one plain value and gives one. */
export type BenchWorker = typeof worker;

Comlink.expose(worker);
