import type { ErrorCode } from "../../../protocol/errors.ts";

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  device_unavailable: "Choose WebAssembly and join again: it needs no graphics processor.",
  device_lost: "The graphics processor was reset. Join again; if it happens twice, choose WebAssembly.",
  out_of_memory:
    "This machine has too little memory for the task. Close other tabs or programs and join again, or try another machine.",
  coordinator_unreachable:
    "Check that this machine is online, then join again. Nothing is lost: rounds go on without you.",
  shard_corrupt: "A download was damaged. Joining again fetches it anew.",
  column_missing: "The catalog lacks a column of this task: whoever runs the campaign has to repair it.",
  diverged:
    "The training ran away on this machine. Join again; if it repeats, tell whoever runs the campaign.",
  task_finished: "This campaign is over. Reload the page to see whether another one runs.",
  not_found: "This campaign does not exist here. Reload the page to see which ones do.",
  unauthorized: "The coordinator no longer knows this node. Join again to get a new place.",
  store_unavailable: "The coordinator cannot write at the moment. Try again in a few minutes.",
  disk_full: "The coordinator's disk is full: whoever runs the campaign has to make room.",
};

/** What a volunteer can do about a failure, in one or two sentences. */
export function remedyFor(code: ErrorCode): string {
  return REMEDIES[code] ?? "Join again; if it repeats, tell whoever runs the campaign, with the code above.";
}
