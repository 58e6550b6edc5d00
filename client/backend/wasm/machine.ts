import { type Kernels, SYNC_BYTES } from "../../../wasm/index.ts";
import { createHeap, type Heap } from "./heap.ts";
import type { LaneHandle, SpawnLane } from "./lane.ts";

/** Lanes that have not started by then are given up. */
const START_LIMIT_MS = 5_000;

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

/** A machine that holds threads. */
export interface OpenMachine extends WasmMachine {
  /** Ends every lane but this thread. */
  end(): void;
}

/** How many lanes, and how those beyond this thread start. */
export interface LaneWish {
  readonly lanes: number;
  readonly spawnLane: SpawnLane;
}

/**
 * A machine with all the memory of `kernels` to itself. It has one lane where the memory is not shared, and
 * where a lane does not start within 5 s: then nothing is lost but speed.
 */
export async function openMachine(kernels: Kernels, wish?: LaneWish): Promise<OpenMachine> {
  const heap = createHeap(kernels.memory, kernels.heapBase());
  const sync = heap.allocate(SYNC_BYTES);
  heap.words(sync, SYNC_BYTES / 4).fill(0);
  const others = wish !== undefined && kernels.shared ? await startLanes(kernels, sync, wish) : [];
  return {
    kernels,
    heap,
    sync,
    lanes: others.length + 1,
    run(job) {
      if (others.length > 0) kernels.publishJob(sync, job);
      kernels.runJob(job, 0);
    },
    end() {
      sendHome(kernels, sync, others);
    },
  };
}

/** All lanes but 0, or none of them. */
async function startLanes(
  kernels: Kernels,
  sync: number,
  { lanes, spawnLane }: LaneWish,
): Promise<readonly LaneHandle[]> {
  const { module, memory } = kernels;
  const started: LaneHandle[] = [];
  try {
    for (let lane = 1; lane < lanes; lane++) started.push(spawnLane({ module, memory, sync, lane }));
    await withinLimit(Promise.all(started.map(({ ready }) => ready)));
    return started;
  } catch {
    // Those that fail later have nobody to tell.
    void Promise.allSettled(started.map(({ ready }) => ready));
    sendHome(kernels, sync, started);
    return [];
  }
}

/** Lets lanes that wait for a job return, and ends those that cannot. */
function sendHome(kernels: Kernels, sync: number, lanes: readonly LaneHandle[]): void {
  if (lanes.length > 0) kernels.publishJob(sync, 0);
  for (const lane of lanes) lane.end();
}

async function withinLimit(work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("lanes did not start in time")), START_LIMIT_MS);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
