import * as Comlink from "comlink";
import type { NodePhase } from "../../protocol/nodes.ts";
import { INITIAL_STATE } from "../node/announcer.ts";
import type { NodeHandle, NodeOptions, NodeState } from "../node/state.ts";
import { scriptUrl } from "../script-url.ts";
import { installErrorTransfer } from "./errors.ts";
import type { NodeWorker } from "./node-worker.ts";
// oxlint-disable-next-line import/default -- Vite makes this module
import nodeWorkerUrl from "./node-worker.ts?worker&url";

/** A worker that has not left by then is ended; the coordinator then misses its heartbeats. */
const STOP_LIMIT_MS = 8_000;

const FINAL_PHASES: readonly NodePhase[] = ["stopped", "finished", "failed"];

/**
 * Starts a node in a web worker of its own, which ends with the node.
 *
 * @param onState told of every change; the last state is `stopped`, `finished` or `failed`. A worker that
 * breaks gives `failed` with code `internal`
 * @param workerUrl the worker's script, of this origin
 */
export function openNode(
  options: NodeOptions,
  onState: (state: NodeState) => void,
  workerUrl: string = nodeWorkerUrl,
): NodeHandle {
  installErrorTransfer();
  const worker = new Worker(scriptUrl(workerUrl), { type: "module", name: "astroscale-node" });
  const remote = Comlink.wrap<NodeWorker>(worker);
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) => {
    ending.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let last = INITIAL_STATE;

  const take = (state: NodeState): void => {
    if (ending.signal.aborted) return;
    last = state;
    if (FINAL_PHASES.includes(state.phase)) {
      ending.abort();
      // Not released through Comlink: a release message to a worker that is gone has no effect.
      worker.terminate();
    }
    onState(state);
  };
  const fail = (message: string): void => {
    take({ ...last, phase: "failed", error: { code: "internal", message } });
  };

  worker.addEventListener("error", (event) => {
    event.preventDefault();
    fail(`the node's worker broke: ${event.message || "its script could not be loaded"}`);
  });
  /** A call to the worker; done too when the worker ends instead of answering. */
  const call = (ask: () => Promise<void>): Promise<void> =>
    ending.signal.aborted ? ended : Promise.race([ask(), ended]);

  call(() => remote.start(options, Comlink.proxy(take))).catch((error: unknown) => fail(String(error)));
  return {
    pause: () => call(() => remote.pause()),
    resume: () => call(() => remote.resume()),
    async stop() {
      const limit = setTimeout(() => take({ ...last, phase: "stopped" }), STOP_LIMIT_MS);
      await call(() => remote.stop()).finally(() => clearTimeout(limit));
      await ended;
    },
  };
}
