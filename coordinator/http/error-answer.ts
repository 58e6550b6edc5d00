import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AstroScaleError, type ErrorCode } from "../../protocol/errors.ts";
import type { ErrorBody } from "../../protocol/replies.ts";
import type { Log } from "../observability/log.ts";

/** HTTP status of every error code; codes that only nodes use are faults if they get here. */
const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_request: 400,
  malformed_safetensors: 400,
  idempotency_key_missing: 400,
  unauthorized: 401,
  forbidden: 403,
  not_selected: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  update_in_flight: 409,
  duplicate_update: 409,
  stale_round: 409,
  wrong_task: 409,
  base_model_mismatch: 409,
  task_exists: 409,
  task_finished: 409,
  too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  shape_mismatch: 422,
  non_finite: 422,
  norm_exceeded: 422,
  example_count_exceeded: 422,
  column_missing: 422,
  store_unavailable: 503,
  disk_full: 507,
  device_unavailable: 500,
  device_lost: 500,
  out_of_memory: 500,
  diverged: 500,
  shard_corrupt: 500,
  coordinator_unreachable: 500,
  catalog_malformed: 500,
  port_in_use: 500,
  chromium_missing: 500,
  internal: 500,
};

/** HTTP status of an error code. */
export function statusOf(code: ErrorCode): ContentfulStatusCode {
  return STATUS[code];
}

/** Answers an error as `{ code, message, details? }`. What is not ours is logged and told as `internal`. */
export function answerError(error: unknown, c: Context, log: Log): Response {
  if (error instanceof AstroScaleError && STATUS[error.code] !== 500) {
    const { code, message, details } = error;
    if (STATUS[code] >= 500) log.error({ error, path: c.req.path }, message);
    // The rest of a refused body is not worth reading.
    if (code === "too_large") c.header("Connection", "close");
    const body: ErrorBody = { code, message, ...(details ? { details } : {}) };
    return c.json(body, STATUS[code]);
  }
  log.error({ error, path: c.req.path, method: c.req.method }, "request failed");
  const body: ErrorBody = { code: "internal", message: "the coordinator failed; its log says why" };
  return c.json(body, 500);
}
