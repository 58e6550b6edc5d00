/** Machine-readable reasons a node or the coordinator can refuse. Stable: part of the wire. */
export const ERROR_CODES = [
  // Requests
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "request_timeout",
  "too_large",
  "unsupported_media_type",
  // Client updates
  "malformed_safetensors",
  "idempotency_key_missing",
  "idempotency_key_reused",
  "update_in_flight",
  "duplicate_update",
  "stale_round",
  "wrong_task",
  "base_model_mismatch",
  "not_selected",
  "shape_mismatch",
  "non_finite",
  "norm_exceeded",
  "example_count_exceeded",
  // Tasks
  "task_exists",
  "task_finished",
  // Node
  "device_unavailable",
  "device_lost",
  "out_of_memory",
  "diverged",
  "column_missing",
  "shard_corrupt",
  "coordinator_unreachable",
  // Coordinator
  "catalog_malformed",
  "store_unavailable",
  "disk_full",
  "port_in_use",
  "chromium_missing",
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The one error class. `code` is for programs, `message` for people, `details` for both. */
export class AstroScaleError extends Error {
  override readonly name = "AstroScaleError";
  readonly code: ErrorCode;
  /** Facts beside the message, such as `{ currentRound: 7 }`. JSON values only: they travel. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & { details?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options);
    this.code = code;
    this.details = options?.details;
  }
}
