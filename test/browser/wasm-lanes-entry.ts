// A worker that owns a backend of several threads, as the node's worker does.

import * as Comlink from "comlink";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import { trainedBits } from "../conformance/lanes.ts";

const lanesWorker = {
  /** What a backend of that many threads computes. */
  async train(threads: number): Promise<{ device: string; bits: Float32Array<ArrayBuffer>[] }> {
    const backend = await createWasmBackend({ threads });
    const bits = await trainedBits(backend);
    backend.dispose();
    return { device: backend.device, bits };
  },
};
export type LanesWorker = typeof lanesWorker;

Comlink.expose(lanesWorker);
