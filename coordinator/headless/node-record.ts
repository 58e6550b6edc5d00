import type { ErrorCode } from "../../protocol/errors.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { HeadlessNodeState } from "./node-runtime.ts";

/** A headless node's work over all its restarts. */
export interface NodeSummary {
  readonly name: string;
  readonly backend: BackendName | null;
  readonly device: string | null;
  readonly updatesAccepted: number;
  readonly examplesTrained: number;
  /** Over the last local epoch; `null` when there was none. */
  readonly examplesPerSecond: number | null;
  readonly restarts: number;
  /** What it does now; `failed` means given up. */
  readonly phase: HeadlessNodeState["phase"];
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

/** Keeps a node's tally over its lives: a restarted node counts from zero again. */
export class NodeRecord {
  readonly name: string;
  /** Failures since the last accepted update. */
  failures = 0;
  #restarts = 0;
  #earlierUpdates = 0;
  #earlierExamples = 0;
  #latest: HeadlessNodeState | null = null;
  #backend: BackendName | null = null;
  #device: string | null = null;
  #examplesPerSecond: number | null = null;
  #ended: Pick<NodeSummary, "phase" | "error"> | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** Takes over what the node says now; a newly accepted update forgives earlier failures. */
  observe(state: HeadlessNodeState): void {
    if (state.updatesAccepted > (this.#latest?.updatesAccepted ?? 0)) this.failures = 0;
    this.#latest = state;
    this.#backend = state.backend ?? this.#backend;
    this.#device = state.device ?? this.#device;
    this.#examplesPerSecond = state.examplesPerSecond ?? this.#examplesPerSecond;
  }

  /** Closes one life's account before the next begins. */
  restart({ counts }: { counts: boolean }): void {
    this.#earlierUpdates += this.#latest?.updatesAccepted ?? 0;
    this.#earlierExamples += this.#latest?.examplesTrained ?? 0;
    this.#latest = null;
    if (!counts) return;
    this.failures += 1;
    this.#restarts += 1;
  }

  /** Notes how the node ended for good. */
  end(ended: Pick<NodeSummary, "phase" | "error">): void {
    this.#ended = ended;
  }

  summary(): NodeSummary {
    return {
      name: this.name,
      backend: this.#backend,
      device: this.#device,
      updatesAccepted: this.#earlierUpdates + (this.#latest?.updatesAccepted ?? 0),
      examplesTrained: this.#earlierExamples + (this.#latest?.examplesTrained ?? 0),
      examplesPerSecond: this.#examplesPerSecond,
      restarts: this.#restarts,
      phase: this.#ended?.phase ?? this.#latest?.phase ?? "joining",
      error: this.#ended?.error ?? null,
    };
  }
}
