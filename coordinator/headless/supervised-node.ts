import type { BackendName } from "../../protocol/nodes.ts";
import type { NodeRecord, NodeSummary } from "./node-record.ts";
import {
  type BackendWish,
  type HeadlessNodeState,
  isFinal,
  type NodeRuntime,
  type RunningNode,
} from "./node-runtime.ts";
import { type Sleep, within } from "./sleep.ts";
import { type Ending, endingOf, judge, type Verdict } from "./supervision.ts";

/** A node to run: its name, and its task or `null` to let the coordinator choose. */
export interface NodeOrder {
  readonly name: string;
  readonly task: string | null;
}

/** What a headless node tells while it runs. */
export type NodeEvent =
  | {
      readonly kind: "running";
      readonly name: string;
      readonly backend: BackendName;
      readonly device: string;
    }
  | { readonly kind: "reconnecting"; readonly name: string }
  | { readonly kind: "notice"; readonly name: string; readonly text: string }
  | { readonly kind: "restarting"; readonly name: string; readonly reason: string; readonly waitMs: number }
  | { readonly kind: "ended"; readonly node: NodeSummary };

/** Everything one supervised node works with. */
export interface Supervision {
  readonly coordinator: string;
  readonly backend: BackendWish;
  readonly threads: number;
  readonly order: NodeOrder;
  readonly record: NodeRecord;
  readonly runtime: NodeRuntime;
  readonly onEvent: (event: NodeEvent) => void;
  readonly sleep: Sleep;
  /** Aborts when the node shall leave. */
  readonly signal: AbortSignal;
}

const POLL_MS = 1_000;
const ANSWER_LIMIT_MS = 30_000;
const START_LIMIT_MS = 60_000;
const LEAVE_LIMIT_MS = 10_000;

/** Runs one node, through restarts, until it has finished, was stopped or is given up. Never rejects. */
export async function superviseNode(supervision: Supervision): Promise<void> {
  const { record, onEvent, sleep, signal } = supervision;
  let lastReason: string | null = null;
  while (!signal.aborted) {
    const ending = await live(supervision);
    // Closing the runtime on a node that was slow to leave is no crash.
    const cutOff = signal.aborted && ending.kind !== "state";
    const verdict = judge(cutOff ? { kind: "left" } : ending, record.failures);
    if (verdict.kind !== "restart") {
      end(supervision, verdict);
      return;
    }
    record.restart({ counts: verdict.counts });
    const { reason, waitMs } = verdict;
    // A coordinator that stays away is told once, not at every try.
    if (reason !== lastReason || verdict.counts) {
      onEvent({ kind: "restarting", name: record.name, reason, waitMs });
    }
    lastReason = reason;
    await sleep(waitMs, signal);
  }
  end(supervision, { kind: "ended", phase: "stopped" });
}

function end({ record, onEvent }: Supervision, verdict: Exclude<Verdict, { kind: "restart" }>): void {
  if (verdict.kind === "ended") record.end({ phase: verdict.phase, error: null });
  else record.end({ phase: "failed", error: { code: verdict.code, message: verdict.reason } });
  onEvent({ kind: "ended", node: record.summary() });
}

/** One life of the node: from its start to whatever ended it. */
async function live(supervision: Supervision): Promise<Ending> {
  const { runtime, coordinator, backend, threads, order } = supervision;
  let node: RunningNode | null = null;
  try {
    node = await runtime.start({ ...order, coordinator, backend, threads });
    return await watch(node, supervision);
  } catch (error) {
    return endingOf(error);
  } finally {
    // Closing a node that is gone already is no news: its ending is known.
    await node?.close().catch(() => undefined);
  }
}

async function watch(node: RunningNode, supervision: Supervision): Promise<Ending> {
  const { record, sleep, signal, onEvent } = supervision;
  let before: HeadlessNodeState | null = null;
  for (let polls = 0; before !== null || polls * POLL_MS < START_LIMIT_MS; polls += 1) {
    if (signal.aborted) return leave(node, supervision);
    const state = await ask(node, sleep);
    if (state) {
      record.observe(state);
      for (const event of changes(record.name, before, state)) onEvent(event);
      if (isFinal(state)) return { kind: "state", state };
      before = state;
    }
    await sleep(POLL_MS, signal);
  }
  return { kind: "crashed", reason: `no node started within ${START_LIMIT_MS / 1000} s` };
}

function ask(node: RunningNode, sleep: Sleep): Promise<HeadlessNodeState | null> {
  const complaint = `the node did not answer for ${ANSWER_LIMIT_MS / 1000} s`;
  return within(node.state(), { limitMs: ANSWER_LIMIT_MS, sleep, complaint });
}

async function leave(node: RunningNode, { record, sleep }: Supervision): Promise<Ending> {
  const complaint = `the node did not leave within ${LEAVE_LIMIT_MS / 1000} s`;
  await within(node.stop(), { limitMs: LEAVE_LIMIT_MS, sleep, complaint });
  const state = await ask(node, sleep);
  if (state) record.observe(state);
  return { kind: "left" };
}

/** What is worth telling about the step from one state to the next. */
function changes(name: string, before: HeadlessNodeState | null, now: HeadlessNodeState): NodeEvent[] {
  const events: NodeEvent[] = [];
  if (isWorking(now) && !(before && isWorking(before)) && now.backend) {
    events.push({ kind: "running", name, backend: now.backend, device: now.device ?? "unknown device" });
  }
  if (now.phase === "reconnecting" && before?.phase !== "reconnecting") {
    events.push({ kind: "reconnecting", name });
  }
  if (now.notice !== null && now.notice !== before?.notice) {
    events.push({ kind: "notice", name, text: now.notice });
  }
  return events;
}

function isWorking({ phase }: HeadlessNodeState): boolean {
  return phase !== "joining" && phase !== "reconnecting" && phase !== "failed";
}
