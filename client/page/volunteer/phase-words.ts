import type { NodePhase, NodeState } from "../../node/state.ts";

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

/** What the node does now, in one short line. */
export function phaseLine(state: NodeState): string {
  switch (state.phase) {
    case "joining":
      return "Joining the campaign";
    case "waiting":
      return capitalised(state.reason ?? "waiting for the next round");
    case "downloading":
      return "Downloading shards of the catalog";
    case "preprocessing":
      return state.round === 0 ? "Measuring the rows, so that all nodes scale alike" : "Preparing the rows";
    case "training":
      return `Training, local epoch ${Math.min(state.localEpoch + 1, state.localEpochs)} of ${state.localEpochs}`;
    case "sending":
      return "Sending the update";
    case "paused":
      return "Paused: nothing is computed until you resume";
    case "reconnecting":
      return "The coordinator does not answer; trying again";
    case "stopped":
      return "You have left the campaign";
    case "finished":
      return "The campaign has finished";
    case "failed":
      return "This node has stopped";
  }
}

/** The headline: changes with what matters to the volunteer, not with every step of a round. */
export function headlineOf(state: NodeState): string {
  switch (state.phase) {
    case "paused":
      return "Paused.";
    case "stopped":
      return "You have left. Thank you.";
    case "finished":
      return "Finished. Thank you.";
    case "failed":
      return "This node had to stop.";
    case "joining":
      return "Joining.";
    case "waiting":
      return state.round === null ? "Ready, and waiting." : "This tab is learning.";
    default:
      return "This tab is learning.";
  }
}

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
