// A thread of Node that is a lane from its start until lanes are sent home.

import { parentPort, workerData } from "node:worker_threads";
import { type LaneStart, serveLane } from "../backend/wasm/lane.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, no window
serveLane(workerData as LaneStart, () => parentPort?.postMessage("ready"));
