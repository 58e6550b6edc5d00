import type { NodeState } from "../node/state.ts";

/**
 * What a program that drives the volunteer page finds at `window.astroscaleNode`: headless nodes and tests read
 * it instead of the page's words. Present from the first script on; `state()` is `null` before a join.
 */
export interface NodeAutomation {
  /** The node's state now, a plain value. */
  state(): NodeState | null;
  /** Leaves the coordinator; resolves when the worker is gone, at once when none runs. */
  stop(): Promise<void>;
}

declare global {
  interface Window {
    astroscaleNode?: NodeAutomation;
  }
}

/** Puts `automation` at `window.astroscaleNode`. */
export function offerAutomation(automation: NodeAutomation): void {
  window.astroscaleNode = automation;
}
