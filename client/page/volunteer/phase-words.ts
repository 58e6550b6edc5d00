import type { NodePhase } from "../../../protocol/nodes.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { NodeState } from "../../node/state.ts";

/** Where the data are on their way through this machine; `null` while nothing moves. */
export type PathStage = "download" | "train" | "send";

/** The stage of the picture that a phase lights. */
export function stageOf(phase: NodePhase): PathStage | null {
  if (phase === "downloading") return "download";
  if (phase === "preprocessing" || phase === "training") return "train";
  return phase === "sending" ? "send" : null;
}

/** Whether the node still runs: neither stopped, finished nor failed. */
export function isRunning(phase: NodePhase): boolean {
  return phase !== "stopped" && phase !== "finished" && phase !== "failed";
}

/**
 * The state with the task's reason in place of the node's own, while the node has none: the coordinator holds
 * the first question for a plan, so a node that waits for others does not know yet why.
 */
export function withReasonOf(state: NodeState | null, task: TaskStatus | null): NodeState | null {
  if (state === null || task === null) return state;
  const unknown = state.phase === "waiting" && state.round === null && state.reason === null;
  return unknown ? { ...state, reason: task.reason } : state;
}

/** What the node does now, in one short line. */
export function phaseLine(state: NodeState): string {
  const { phase, reason, round, localEpoch, localEpochs } = state;
  if (phase === "waiting") return capitalised(reason ?? "waiting for the next round");
  if (phase === "preprocessing") {
    return round === 0 ? "Measuring the rows, so that all nodes scale alike" : "Preparing the rows";
  }
  if (phase === "training") {
    return `Training, local epoch ${Math.min(localEpoch + 1, localEpochs)} of ${localEpochs}`;
  }
  return LINES[phase];
}

const LINES: Record<Exclude<NodePhase, "waiting" | "preprocessing" | "training">, string> = {
  joining: "Joining the campaign",
  downloading: "Downloading shards of the catalog",
  sending: "Sending the update",
  paused: "Paused: nothing is computed until you resume",
  reconnecting: "The coordinator does not answer; trying again",
  stopped: "You have left the campaign",
  finished: "The campaign has finished",
  failed: "This node has stopped",
};

/** The headline: changes with what matters to the volunteer, not with every step of a round. */
export function headlineOf(state: NodeState): string {
  if (state.phase === "waiting" && state.round === null) return "Ready, and waiting.";
  return HEADLINES[state.phase] ?? "This tab is learning.";
}

const HEADLINES: Partial<Record<NodePhase, string>> = {
  joining: "Joining.",
  paused: "Paused.",
  stopped: "You have left. Thank you.",
  finished: "Finished. Thank you.",
  failed: "This node had to stop.",
};

/** What a screen reader says: only what a volunteer would look up for, not each step of every round. */
export function announcement(state: NodeState): string {
  const quiet: readonly NodePhase[] = ["downloading", "preprocessing", "training", "sending"];
  if (quiet.includes(state.phase)) return "Taking part.";
  if (state.phase === "waiting") return state.round === null ? phaseLine(state) : "Taking part.";
  return `${phaseLine(state)}.`;
}

/** Colour of the state's dot: a class of base.css. */
export function phaseTone(phase: NodePhase): "active" | "good" | "warn" | "bad" | "" {
  if (phase === "failed") return "bad";
  if (phase === "finished") return "good";
  if (phase === "paused" || phase === "reconnecting") return "warn";
  return stageOf(phase) === null ? "" : "active";
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
