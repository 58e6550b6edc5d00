import { type Kernels, SYNC_BYTES } from "../../../wasm/index.ts";
import { createHeap, type Heap } from "./heap.ts";

/** The kernels, the heap in their memory, and the lanes (threads) that run a job together. */
export interface WasmMachine {
  readonly kernels: Kernels;
  readonly heap: Heap;
  /** How many there are, with this thread, which is lane 0. */
  readonly lanes: number;
  /** Where lanes meet: the sync block, which a job record names. */
  readonly sync: number;
  /** Runs the job whose record is at `job` on every lane; all of them are done when it returns. */
  run(job: number): void;
}

/** A machine of one lane, with all the memory of `kernels` to itself. */
export function createMachine(kernels: Kernels): WasmMachine {
  const heap = createHeap(kernels.memory, kernels.heapBase());
  const sync = heap.allocate(SYNC_BYTES);
  heap.words(sync, SYNC_BYTES / 4).fill(0);
  return { kernels, heap, lanes: 1, sync, run: (job) => kernels.runJob(job, 0) };
}
