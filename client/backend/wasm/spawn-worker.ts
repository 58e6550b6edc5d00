import { scriptUrl } from "../../script-url.ts";
import type { LaneHandle, LaneStart } from "./lane.ts";
// oxlint-disable-next-line import/default -- Vite makes this module
import laneWorkerUrl from "./lane-worker.ts?worker&url";

/** Starts a lane in a web worker, from a page or from another worker. */
export function spawnWorker(start: LaneStart): LaneHandle {
  const worker = new Worker(scriptUrl(laneWorkerUrl), {
    type: "module",
    name: `astroscale-lane-${start.lane}`,
  });
  const ready = new Promise<void>((resolve, reject) => {
    worker.addEventListener("message", () => resolve(), { once: true });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      reject(new Error(`a lane's worker broke: ${event.message || "its script could not be loaded"}`));
    });
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is no window
  worker.postMessage(start);
  return { ready, end: () => worker.terminate() };
}
