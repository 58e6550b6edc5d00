import * as z from "zod";
import { Slug } from "./catalogs.ts";
import { ERROR_CODES } from "./errors.ts";

/** Where a node computes. */
export const BackendName = z.enum(["webgpu", "wasm"]);
export type BackendName = z.infer<typeof BackendName>;

/**
 * A name people may choose: 1 to 64 characters, none of them control, format (bidirectional, zero-width) or
 * line-separating. Always shown as text, never as markup.
 */
export const NodeName = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u, "a name has no control or direction characters");

/** What a node's page says it is doing. `stopped`, `finished` and `failed` are final. */
export const NodePhase = z.enum([
  "joining",
  "waiting",
  "downloading",
  "preprocessing",
  "training",
  "sending",
  "paused",
  "reconnecting",
  "stopped",
  "finished",
  "failed",
]);
export type NodePhase = z.infer<typeof NodePhase>;

/** How fast one backend of a node trained the task's model, measured for a moment before its first round. */
export const BackendProbe = z.strictObject({
  backend: BackendName,
  /** The adapter's or processor's description, for people. */
  device: z.string().max(200),
  /** `null` when it failed. */
  examplesPerSecond: z.number().nonnegative().nullable(),
});
export type BackendProbe = z.infer<typeof BackendProbe>;

/** What a node brings. */
export const NodeCapabilities = z.strictObject({
  backend: BackendName,
  /** The adapter's or processor's description, for people. */
  device: z.string().max(200),
  /** `navigator.hardwareConcurrency`. */
  threads: z.int().min(1).max(4096),
  version: z.string().max(32),
});
export type NodeCapabilities = z.infer<typeof NodeCapabilities>;

/** Body of `POST /federated/join`. Without `task` the coordinator chooses. */
export const JoinRequest = z.strictObject({
  name: NodeName,
  capabilities: NodeCapabilities,
  task: Slug.optional(),
});
export type JoinRequest = z.infer<typeof JoinRequest>;

export const NodeId = z.string().regex(/^[0-9a-f]{16}$/);

/** Answer of `POST /federated/join`, 201. The token is shown once; later calls send it as a bearer token. */
export const JoinReply = z.strictObject({
  nodeId: NodeId,
  token: z.string().min(32),
  task: Slug,
  /** Send a heartbeat at least this often, or be taken for gone. */
  heartbeatSecs: z.number().positive(),
});
export type JoinReply = z.infer<typeof JoinReply>;

/** Why a node sent nothing for a round: a loss that was not finite, a shard it could not read. */
export const NodeFault = z.strictObject({
  round: z.int().nonnegative(),
  code: z.enum(ERROR_CODES),
  message: z.string().max(300),
});
export type NodeFault = z.infer<typeof NodeFault>;

/** Body of `POST /federated/heartbeat`. */
export const Heartbeat = z.strictObject({
  state: z.enum(["waiting", "downloading", "preprocessing", "training", "sending", "paused"]),
  backend: BackendName,
  /** Examples per second over the last local epoch, or `null` before the first. */
  examplesPerSecond: z.number().nonnegative().nullable(),
  /** What computes now, where it is not what the node joined with. */
  device: z.string().max(200).optional(),
  /** What the choice of the backend rests on, once it has been made by measuring. */
  probes: z.array(BackendProbe).max(4).optional(),
  /** The last round that the node gave up, or `null`. */
  fault: NodeFault.nullable().optional(),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** Answer of a heartbeat: the open round, so that a node drops work nobody waits for. */
export const HeartbeatReply = z.strictObject({ task: Slug, round: z.int().nonnegative() });
export type HeartbeatReply = z.infer<typeof HeartbeatReply>;

/** A node as the dashboard lists it. */
export const NodeStatus = z.strictObject({
  nodeId: NodeId,
  name: z.string(),
  task: Slug,
  backend: BackendName,
  device: z.string(),
  state: z.enum([...Heartbeat.shape.state.options, "lost"]),
  examplesPerSecond: z.number().nonnegative().nullable(),
  updates: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  /** As the node last reported them; empty before. */
  probes: z.array(BackendProbe),
  /** The last round that the node gave up, or `null`. */
  fault: NodeFault.nullable(),
});
export type NodeStatus = z.infer<typeof NodeStatus>;
