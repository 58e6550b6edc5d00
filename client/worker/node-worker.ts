// oxlint-disable-next-line import/no-unassigned-import -- first, before any schema is made
import "../without-eval.ts";
import * as Comlink from "comlink";
import type { NodeOptions, NodeState } from "../node/state.ts";
import { Volunteer } from "../node/volunteer.ts";
import { browserWorld } from "./browser-world.ts";
import { installErrorTransfer } from "./errors.ts";

installErrorTransfer();

// A rejection that nobody handles is silent at the page's side; an error is not.
addEventListener("unhandledrejection", (event) => reportError(event.reason));

let node: Volunteer | null = null;

/** What the page may ask of the worker; one node a worker. */
const nodeWorker = {
  /** Starts the node; `onState` is told of every change. */
  start(options: NodeOptions, onState: (state: NodeState) => void): void {
    node ??= new Volunteer(options, browserWorld(options.coordinator), onState);
  },
  async pause(): Promise<void> {
    await node?.pause();
  },
  async resume(): Promise<void> {
    await node?.resume();
  },
  async stop(): Promise<void> {
    await node?.stop();
  },
};
export type NodeWorker = typeof nodeWorker;

Comlink.expose(nodeWorker);
