import * as z from "zod";
import { ERROR_CODES } from "./errors.ts";
import { NodeStatus } from "./nodes.ts";
import { TaskStatus } from "./tasks.ts";

/** Body of every 4xx and 5xx answer. */
export const ErrorBody = z.strictObject({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

/** `GET /health`: 200 and `healthy` only when the store can write, else 503 with the reason. */
export const Health = z.strictObject({
  status: z.enum(["healthy", "unhealthy"]),
  reason: z.string().optional(),
});
export type Health = z.infer<typeof Health>;

/** `GET /status`. */
export const CoordinatorStatus = z.strictObject({
  node_id: z.string(),
  status: z.enum(["running", "draining"]),
  uptime_secs: z.number().nonnegative(),
  memory_usage_mb: z.number().nonnegative(),
  version: z.string(),
  tasks: z.array(TaskStatus),
  nodes: z.strictObject({
    connected: z.int().nonnegative(),
    lost: z.int().nonnegative(),
    list: z.array(NodeStatus),
  }),
});
export type CoordinatorStatus = z.infer<typeof CoordinatorStatus>;
