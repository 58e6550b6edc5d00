import type { NodeState } from "./state.ts";

/** The state of a node that has just been started. */
export const INITIAL_STATE: NodeState = {
  phase: "joining",
  nodeId: null,
  backend: null,
  device: null,
  probes: [],
  threads: 1,
  notice: null,
  task: null,
  round: null,
  rounds: null,
  localEpoch: 0,
  localEpochs: 0,
  examplesPerSecond: null,
  loss: null,
  shards: 0,
  rows: 0,
  examplesTrained: 0,
  updatesAccepted: 0,
  bytesDown: 0,
  bytesUp: 0,
  fault: null,
  reason: null,
  error: null,
};

/** Holds a node's state and tells its page of every change. */
export class Announcer {
  #state = INITIAL_STATE;
  readonly #onState: (state: NodeState) => void;

  constructor(onState: (state: NodeState) => void) {
    this.#onState = onState;
    onState(this.#state);
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Replaces the named parts of the state. */
  set(change: Partial<NodeState>): void {
    this.#state = { ...this.#state, ...change };
    this.#onState(this.#state);
  }

  /** Adds to the running totals. */
  add(
    counts: Partial<Record<"examplesTrained" | "updatesAccepted" | "bytesDown" | "bytesUp", number>>,
  ): void {
    const { examplesTrained, updatesAccepted, bytesDown, bytesUp } = this.#state;
    this.set({
      examplesTrained: examplesTrained + (counts.examplesTrained ?? 0),
      updatesAccepted: updatesAccepted + (counts.updatesAccepted ?? 0),
      bytesDown: bytesDown + (counts.bytesDown ?? 0),
      bytesUp: bytesUp + (counts.bytesUp ?? 0),
    });
  }
}
