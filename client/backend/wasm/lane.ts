import { hostOf } from "../../../wasm/shared-memory.ts";

/** What a thread needs to become a lane: all of it can be posted to a worker. */
export interface LaneStart {
  /** A shared build of the kernels. */
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The sync block in that memory. */
  readonly sync: number;
  /** From 1; lane 0 is the thread that owns the backend. */
  readonly lane: number;
}

/** A lane as its starter holds it. */
export interface LaneHandle {
  /** Resolves when the lane is about to serve; rejects when its thread cannot start. */
  readonly ready: Promise<void>;
  /** Ends its thread at once, also where it waits for jobs. */
  end(): void;
}

/** Starts a thread that calls `serveLane(start, …)`; a platform's own way. */
export type SpawnLane = (start: LaneStart) => LaneHandle;

/**
 * Blocks the calling thread: it runs its part of every job until the machine sends its lanes home.
 *
 * @param ready called when the lane can take jobs, just before the thread blocks
 */
export function serveLane({ module, memory, sync, lane }: LaneStart, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, hostOf(memory));
  const { serveJobs } = exports as { serveJobs: (sync: number, lane: number) => void };
  ready();
  serveJobs(sync, lane);
}
