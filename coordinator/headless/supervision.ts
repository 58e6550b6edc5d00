import { AstroScaleError, type ErrorCode } from "../../protocol/errors.ts";
import type { HeadlessNodeState } from "./node-runtime.ts";

/** How one life of a node, from its start on, came to an end. */
export type Ending =
  | { readonly kind: "state"; readonly state: HeadlessNodeState }
  | { readonly kind: "left" }
  | { readonly kind: "crashed"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "hopeless"; readonly code: ErrorCode; readonly reason: string };

/** What happens to the node next. */
export type Verdict =
  | { readonly kind: "ended"; readonly phase: "finished" | "stopped" }
  | { readonly kind: "given-up"; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: "restart"; readonly waitMs: number; readonly reason: string; readonly counts: boolean };

/** A node that failed this often without an accepted update in between is given up. */
export const MAX_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const UNREACHABLE_WAIT_MS = 5_000;

// Another try finds the same task, the same columns and the same web client.
const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  "invalid_request",
  "forbidden",
  "not_found",
  "wrong_task",
  "column_missing",
]);

/**
 * What follows an ending. A failure waits `min(1 s * 2^failures, 30 s)`; a coordinator that is away is no
 * failure of the node and is asked again for as long as it takes.
 *
 * @param failures failures since the node's last accepted update, without this one
 */
export function judge(ending: Ending, failures: number): Verdict {
  if (ending.kind === "state") return judgeState(ending.state, failures);
  if (ending.kind === "left") return { kind: "ended", phase: "stopped" };
  if (ending.kind === "hopeless") return { kind: "given-up", code: ending.code, reason: ending.reason };
  if (ending.kind === "crashed") return again("internal", ending.reason, failures);
  return { kind: "restart", waitMs: UNREACHABLE_WAIT_MS, reason: ending.reason, counts: false };
}

function judgeState({ phase, error }: HeadlessNodeState, failures: number): Verdict {
  if (phase === "finished" || phase === "stopped") return { kind: "ended", phase };
  const code = error?.code ?? "internal";
  const reason = error?.message ?? "the node failed without saying why";
  if (code === "task_finished") return { kind: "ended", phase: "finished" };
  return HOPELESS.has(code) ? { kind: "given-up", code, reason } : again(code, reason, failures);
}

function again(code: ErrorCode, reason: string, failures: number): Verdict {
  if (failures + 1 >= MAX_FAILURES) {
    return {
      kind: "given-up",
      code,
      reason: `failed ${MAX_FAILURES} times in a row, the last time: ${reason}`,
    };
  }
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
  return { kind: "restart", waitMs, reason, counts: true };
}

/** The ending that an error met while starting or asking a node stands for. */
export function endingOf(error: unknown): Ending {
  const reason = error instanceof Error ? firstLine(error.message) : String(error);
  if (!(error instanceof AstroScaleError)) return { kind: "crashed", reason };
  if (error.code === "coordinator_unreachable") return { kind: "unreachable", reason };
  return HOPELESS.has(error.code)
    ? { kind: "hopeless", code: error.code, reason }
    : { kind: "crashed", reason };
}

// Playwright appends a call log.
function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
