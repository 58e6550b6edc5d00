import * as z from "zod";
import { ERROR_CODES } from "../../protocol/errors.ts";
import { BackendName, NodePhase } from "../../protocol/nodes.ts";

/** Which backend a headless node is asked to use; `auto` leaves it to the node. */
export type BackendWish = BackendName | "auto";

/**
 * What a node tells of itself: the part of its state that the pool reads. A page belongs to the coordinator's
 * origin, which may be someone else's, so it is parsed.
 */
export const HeadlessNodeState = z.object({
  phase: NodePhase,
  backend: BackendName.nullable(),
  device: z.string().nullable(),
  notice: z.string().nullable(),
  examplesPerSecond: z.number().nonnegative().nullable(),
  examplesTrained: z.number().nonnegative(),
  updatesAccepted: z.number().nonnegative(),
  error: z.object({ code: z.enum(ERROR_CODES), message: z.string() }).nullable(),
});
export type HeadlessNodeState = z.infer<typeof HeadlessNodeState>;

/** A final state: the node does nothing more. */
export function isFinal({ phase }: HeadlessNodeState): boolean {
  return phase === "finished" || phase === "stopped" || phase === "failed";
}

/** One life of a node. `state` and `stop` reject once what it runs in is gone. */
export interface RunningNode {
  /** What the node says, or `null` before it has started. */
  state(): Promise<HeadlessNodeState | null>;
  /** Asks the node to leave the coordinator; resolves when it has. */
  stop(): Promise<void>;
  /** Ends what it runs in; what the node keeps between its lives stays. */
  close(): Promise<void>;
}

/** The node to start. */
export interface NodeStart {
  /** Origin of the coordinator, such as `http://127.0.0.1:8081`. */
  readonly coordinator: string;
  /** Unique in its pool: a node started again under its name goes on as the same node. */
  readonly name: string;
  /** `null` lets the coordinator choose. */
  readonly task: string | null;
  readonly backend: BackendWish;
  /** Threads of the processor, from 1. */
  readonly threads: number;
}

/** What headless nodes run in: pages of a browser, or processes of Node. The seam below the pool. */
export interface NodeRuntime {
  /**
   * Makes ready what the nodes share.
   *
   * @throws {AstroScaleError} when no node can be started here, such as `chromium_missing`
   */
  open(): Promise<void>;

  /** @throws {AstroScaleError} `coordinator_unreachable` when nobody answers there, where that is asked first */
  start(node: NodeStart): Promise<RunningNode>;

  /** Ends everything for good. */
  close(): Promise<void>;
}
