import { type Context, Hono } from "hono";
import * as z from "zod";
import { Slug } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { parameterCount } from "../../protocol/model.ts";
import { Heartbeat, JoinRequest } from "../../protocol/nodes.ts";
import type { Campaign } from "../campaign/campaign.ts";
import type { Member } from "../campaign/members.ts";
import type { TaskRunner } from "../campaign/task-runner.ts";
import { parse, readBytes, readJson, requireMediaType } from "../http/body.ts";
import { statusOf } from "../http/error-answer.ts";

/** Below the usual idle limit of proxies, 30 s. */
const LONGEST_WAIT_SECS = 25;
/** Room for a safetensors header and its metadata. */
const HEADER_ROOM = 64 * 1024;
const BYTES_PER_VALUE = 8;
const STATISTICS_PER_FEATURE = 6;

const RoundNumber = z
  .string()
  .regex(/^\d{1,6}$/, "wanted a round number")
  .transform(Number);
const TaskQuery = z.strictObject({ task: Slug.optional() });
const ModelQuery = z.strictObject({
  task: Slug.optional(),
  round: RoundNumber.optional(),
  format: z.literal("safetensors").optional(),
});
const IdempotencyKey = z.string().regex(/^[\x21-\x7e]{1,255}$/, "wanted 1 to 255 visible ASCII characters");

/** `/federated/*` but for the event stream. */
export function federatedRoutes(campaign: Campaign): Hono {
  const app = new Hono();
  addNodeCalls(app, campaign);
  addModelCalls(app, campaign);
  const uploading = new Set<string>();

  app.post("/update", async (c) => {
    const member = campaign.authenticate(c.req.header("Authorization"));
    const runner = campaign.task(member.task);
    if (uploading.has(member.nodeId)) {
      throw new AstroScaleError("update_in_flight", "an update of this node is being received, try again");
    }
    uploading.add(member.nodeId);
    try {
      return c.json(await receiveUpdate(c, member, runner), 202);
    } catch (error) {
      if (error instanceof AstroScaleError && statusOf(error.code) < 500) runner.reject(member, error);
      throw error;
    } finally {
      uploading.delete(member.nodeId);
    }
  });
  return app;
}

async function receiveUpdate(c: Context, member: Member, runner: TaskRunner): Promise<object> {
  requireMediaType(c, ["application/vnd.safetensors", "application/octet-stream"]);
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) {
    throw new AstroScaleError("idempotency_key_missing", "an update needs an Idempotency-Key header");
  }
  parse(IdempotencyKey, key, "Idempotency-Key");
  const { model, features } = runner.task;
  const values = Math.max(parameterCount(model) / 2, features.length * STATISTICS_PER_FEATURE);
  const bytes = await readBytes(c, Math.ceil(values) * BYTES_PER_VALUE + HEADER_ROOM);
  return runner.accept(member, key, bytes);
}

function addNodeCalls(app: Hono, campaign: Campaign): void {
  app.post("/join", async (c) => c.json(await campaign.join(await readJson(c, JoinRequest)), 201));

  app.get("/plan", async (c) => {
    const member = campaign.authenticate(c.req.header("Authorization"));
    const runner = campaign.task(member.task);
    const plan = await runner.awaitPlan(member, preferredWaitMs(c), c.req.raw.signal);
    // Compressing would cost more than the wire: a round opens for every node at once.
    c.header("Cache-Control", "no-store, no-transform");
    if ("kind" in plan) return c.json(plan);
    c.header("Retry-After", String(Math.ceil(plan.retryAfterSecs)));
    return c.json(plan, 202);
  });

  app.post("/heartbeat", async (c) => {
    const member = campaign.authenticate(c.req.header("Authorization"));
    campaign.heartbeat(member, await readJson(c, Heartbeat));
    return c.json({ task: member.task, round: campaign.task(member.task).status().round });
  });

  app.post("/leave", async (c) => {
    await campaign.leave(campaign.authenticate(c.req.header("Authorization")));
    return c.body(null, 204);
  });
}

/** Source: RFC 7240, section 4.3, `Prefer: wait=seconds`. */
function preferredWaitMs(c: Context): number {
  const [, seconds = "0"] = /(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])/.exec(c.req.header("Prefer") ?? "") ?? [];
  return Math.min(Number(seconds), LONGEST_WAIT_SECS) * 1000;
}

function addModelCalls(app: Hono, campaign: Campaign): void {
  app.get("/model", async (c) => {
    const query = parse(ModelQuery, c.req.query(), "query");
    const runner = campaign.taskOrDefault(query.task);
    const { bytes, digest } = await runner.modelFile(query.round);
    c.header("ETag", `"${digest}"`);
    const forever = query.task !== undefined && query.round !== undefined;
    c.header("Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache");
    if (c.req.header("If-None-Match") === `"${digest}"`) return c.body(null, 304);
    runner.countServed(bytes.length);
    c.header("Content-Type", "application/vnd.safetensors");
    return c.body(bytes);
  });

  app.get("/rounds", (c) => {
    const runner = campaign.taskOrDefault(parse(TaskQuery, c.req.query(), "query").task);
    return c.json({ task: runner.task.id, rounds: runner.rounds() });
  });

  app.get("/rounds/:round", (c) => {
    const runner = campaign.taskOrDefault(parse(TaskQuery, c.req.query(), "query").task);
    const number = parse(RoundNumber, c.req.param("round"), "round");
    const round = runner.rounds()[number];
    if (!round) throw new AstroScaleError("not_found", `task ${runner.task.id} has no round ${number} yet`);
    return c.json(round);
  });
}
