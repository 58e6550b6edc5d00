import { AstroScaleError, type ErrorCode } from "../../../protocol/errors.ts";

const SHORTEST_MS = 1_000;
const LONGEST_MS = 20_000;

/**
 * Milliseconds to wait before asking again: uniform between 1 s and `min(20 s, 2 s * 2^attempt)`, so that
 * nodes which lost their coordinator together do not return together.
 *
 * @param attempt failures before this one, from 0
 * @param random uniform in [0, 1)
 */
export function backOffMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, 2 * SHORTEST_MS * 2 ** attempt);
  return SHORTEST_MS + random * (ceiling - SHORTEST_MS);
}

const PASSING_STATUS: readonly number[] = [408, 429];
const PASSING_CODES: readonly ErrorCode[] = [
  "coordinator_unreachable",
  "update_in_flight",
  "request_timeout",
  "store_unavailable",
  "disk_full",
];

/**
 * Whether the same request may succeed later: the coordinator was away, failed itself (5xx), or asked for
 * patience (408, 429, `update_in_flight`).
 */
export function isPassing(error: unknown): error is AstroScaleError {
  if (!(error instanceof AstroScaleError)) return false;
  if (PASSING_CODES.includes(error.code)) return true;
  const status = error.details?.["status"];
  return typeof status === "number" && (status >= 500 || PASSING_STATUS.includes(status));
}

/** Milliseconds the coordinator asked to wait, or 0. */
export function askedWaitMs(error: AstroScaleError): number {
  const seconds = error.details?.["retryAfterSecs"];
  return typeof seconds === "number" ? seconds * 1_000 : 0;
}
