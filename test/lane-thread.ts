import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "vite";
import type { LaneHandle, LaneStart, SpawnLane } from "../client/backend/wasm/lane.ts";

/** Lanes in threads of Node, from the sources: no build is needed. */
export interface LaneThreads {
  readonly spawnLane: SpawnLane;
  /** Resolves when every thread that was started has ended. */
  allEnded(): Promise<void>;
}

/** A starter of lanes that knows its threads. */
export async function laneThreads(): Promise<LaneThreads> {
  const script = moduleOf(`
    import { parentPort, workerData } from "node:worker_threads";
    import { serveLane } from "${moduleOf(await laneModule())}";
    serveLane(workerData, () => parentPort.postMessage("ready"));`);
  const ended: Promise<unknown>[] = [];
  const spawnLane = (start: LaneStart): LaneHandle => {
    const worker = new Worker(script, { workerData: start });
    ended.push(new Promise((resolve) => worker.once("exit", resolve)));
    const ready = new Promise<void>((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
    });
    return { ready, end: () => void worker.terminate() };
  };
  return {
    spawnLane,
    async allEnded() {
      await Promise.all(ended);
    },
  };
}

function moduleOf(source: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

async function laneModule(): Promise<string> {
  const entry = fileURLToPath(new URL("../client/backend/wasm/lane.ts", import.meta.url));
  const lib = { entry, formats: ["es" as const] };
  const built = await build({ configFile: false, logLevel: "error", build: { write: false, lib } });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !("output" in output)) throw new Error("unreachable: the lane is built once");
  return output.output[0].code;
}
