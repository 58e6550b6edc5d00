import { Worker } from "node:worker_threads";
import type { LaneHandle, LaneStart } from "../backend/wasm/lane.ts";
import { packageFile } from "./package-file.ts";

/** Starts a lane in a thread of this process. It does not keep the process alive. */
export function spawnThread(start: LaneStart): LaneHandle {
  const worker = new Worker(packageFile("dist/edge/lane-thread.js"), {
    workerData: start,
    name: `astroscale-lane-${start.lane}`,
  });
  worker.unref();
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error(`lane ${start.lane} ended before it was ready`)));
  });
  return { ready, end: () => void worker.terminate() };
}
