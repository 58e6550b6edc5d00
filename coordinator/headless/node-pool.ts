import { setMaxListeners } from "node:events";
import { NodeRecord, type NodeSummary } from "./node-record.ts";
import type { BackendWish, NodeRuntime } from "./node-runtime.ts";
import { type Sleep, systemSleep } from "./sleep.ts";
import { type NodeEvent, type NodeOrder, superviseNode } from "./supervised-node.ts";

/** How a pool is started. */
export interface NodePoolOptions {
  /** Origin of the coordinator, such as `http://127.0.0.1:8081`. */
  readonly coordinator: string;
  readonly backend: BackendWish;
  /** Of each node. 1 when left out: nodes that share a machine would only get into each other's way. */
  readonly threads?: number;
  readonly nodes: readonly NodeOrder[];
  readonly runtime: NodeRuntime;
  readonly onEvent: (event: NodeEvent) => void;
  readonly sleep?: Sleep;
}

/** Running headless nodes. */
export interface NodePool {
  /** Every node's work so far, in the order they were asked for. */
  summaries(): NodeSummary[];
  /** Resolves when every node has finished, stopped or been given up, and their runtime is closed. */
  readonly done: Promise<NodeSummary[]>;
  /** Lets every node leave, for at most 15 s, and closes their runtime. */
  stop(): Promise<NodeSummary[]>;
}

const STOP_LIMIT_MS = 15_000;

/**
 * Starts headless nodes in a runtime. A node that crashes, fails or stops answering is restarted as `judge` says.
 *
 * @throws {AstroScaleError} as `NodeRuntime.open`
 */
export async function startNodePool(options: NodePoolOptions): Promise<NodePool> {
  const { nodes, runtime, threads = 1, sleep = systemSleep } = options;
  await runtime.open();
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // every node sleeps on it
  const staff = nodes.map((order) => ({ order, record: new NodeRecord(order.name) }));
  const summaries = (): NodeSummary[] => staff.map(({ record }) => record.summary());
  const lives = staff.map((member) =>
    superviseNode({ ...options, ...member, threads, sleep, signal: stopping.signal }),
  );
  const done = Promise.all(lives)
    .then(() => runtime.close())
    .then(summaries);
  return {
    summaries,
    done,
    async stop() {
      stopping.abort();
      const left = new AbortController();
      await Promise.race([done, sleep(STOP_LIMIT_MS, left.signal)]);
      left.abort();
      // Whatever still waits for a node's answer is refused one by this.
      await runtime.close();
      return done;
    },
  };
}

/** `count` nodes of one task, named `prefix-1` and on. */
export function nodeOrders(prefix: string, count: number, task: string | null): NodeOrder[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${prefix}-${index + 1}`, task }));
}
