import * as z from "zod";
import { Slug } from "./catalogs.ts";
import { ERROR_CODES } from "./errors.ts";
import { NodeId, NodeStatus } from "./nodes.ts";
import { RoundStatus } from "./rounds.ts";
import { TaskStatus } from "./tasks.ts";

/** What `GET /federated/events` sends: SSE `event:` is `kind`, `data:` this JSON, `id:` grows by one. */
export const CampaignEvent = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("task"), task: TaskStatus }),
  z.strictObject({ kind: z.literal("round"), round: RoundStatus }),
  z.strictObject({ kind: z.literal("node"), node: NodeStatus }),
  z.strictObject({ kind: z.literal("node-left"), nodeId: NodeId }),
  z.strictObject({
    kind: z.literal("update-rejected"),
    task: Slug,
    nodeId: NodeId.nullable(),
    name: z.string().nullable(),
    code: z.enum(ERROR_CODES),
    message: z.string(),
  }),
  /** Sent first when `Last-Event-ID` is absent or too old: what came before is in `/status` and `/federated/rounds`. */
  z.strictObject({ kind: z.literal("reset") }),
]);
export type CampaignEvent = z.infer<typeof CampaignEvent>;
