import type { ErrorCode } from "../../protocol/errors.ts";
import type { BackendName, BackendProbe, NodeFault, NodePhase } from "../../protocol/nodes.ts";

/** Everything a page shows of its node; a plain value, replaced whole at every change. */
export interface NodeState {
  readonly phase: NodePhase;
  readonly nodeId: string | null;
  readonly backend: BackendName | null;
  readonly device: string | null;
  /** What the choice of the backend rests on; empty while nothing was measured. */
  readonly probes: readonly BackendProbe[];
  /** Threads of the processor that WebAssembly may use. */
  readonly threads: number;
  /** A thing the volunteer should know, such as a fall back to another backend; `null` for none. */
  readonly notice: string | null;
  readonly task: { readonly id: string; readonly title: string; readonly description: string } | null;
  readonly round: number | null;
  readonly rounds: number | null;
  /** Local epochs done in this round, and how many there are. */
  readonly localEpoch: number;
  readonly localEpochs: number;
  /** Over the last local epoch. */
  readonly examplesPerSecond: number | null;
  /** Mean training loss of the last local epoch. */
  readonly loss: number | null;
  readonly shards: number;
  readonly rows: number;
  readonly examplesTrained: number;
  readonly updatesAccepted: number;
  readonly bytesDown: number;
  readonly bytesUp: number;
  /** The last round given up here; `null` when a later one succeeded. */
  readonly fault: NodeFault | null;
  /** Why the node waits, as the coordinator put it. */
  readonly reason: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

/** Which backend a volunteer wants; `auto` takes the faster this machine has. */
export type BackendChoice = BackendName | "auto";

/** How a node starts. */
export interface NodeOptions {
  /** Origin of the coordinator, such as `http://127.0.0.1:8081`. */
  readonly coordinator: string;
  readonly name: string;
  readonly backend: BackendChoice;
  /** Threads of the processor, or `null` for all but one and at most 8. */
  readonly threads: number | null;
  /** A task's id, or `null` to let the coordinator choose. */
  readonly task: string | null;
}

/** A running node as its page sees it. */
export interface NodeHandle {
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Leaves the coordinator, frees the device and ends; resolves when done. */
  stop(): Promise<void>;
}
