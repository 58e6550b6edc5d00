import { Hono } from "hono";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { CoordinatorStatus, Health } from "../../protocol/replies.ts";
import type { Campaign } from "../campaign/campaign.ts";
import { nodeStatus } from "../campaign/members.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Store } from "../store/store.ts";

/** How long a check of the store holds good. */
const FRESH_MS = 500;

/** What the status calls tell of. */
export interface StatusSubject {
  readonly campaign: Campaign;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly name: string;
  readonly version: string;
  readonly startedMs: number;
  readonly draining: () => boolean;
}

/** `/health`, `/status`, `/metrics`. */
export function statusRoutes(subject: StatusSubject): Hono {
  const app = new Hono();
  const storeCheck = onceAWhile(() => subject.store.check());
  app.get("/health", async (c) => {
    try {
      await storeCheck();
      return c.json({ status: "healthy" } satisfies Health);
    } catch (error) {
      if (!(error instanceof AstroScaleError)) throw error;
      return c.json({ status: "unhealthy", reason: error.message } satisfies Health, 503);
    }
  });
  app.get("/status", (c) => {
    c.header("Cache-Control", "no-store, no-transform");
    return c.json(coordinatorStatus(subject));
  });
  app.get("/metrics", async (c) => {
    c.header("Content-Type", subject.metrics.contentType);
    return c.body(await subject.metrics.text());
  });
  return app;
}

/** `check`, or its last outcome while that is fresh: it flushes the disk, and anyone may ask. */
function onceAWhile(check: () => Promise<void>): () => Promise<void> {
  let checkedMs = Number.NEGATIVE_INFINITY;
  let outcome = Promise.resolve();
  return () => {
    if (performance.now() - checkedMs >= FRESH_MS) {
      checkedMs = performance.now();
      outcome = check();
    }
    return outcome;
  };
}

function coordinatorStatus({ campaign, ...subject }: StatusSubject): CoordinatorStatus {
  const list = campaign.members.all().map(nodeStatus);
  const lost = list.filter(({ state }) => state === "lost").length;
  return {
    node_id: subject.name,
    status: subject.draining() ? "draining" : "running",
    uptime_secs: (performance.now() - subject.startedMs) / 1000,
    memory_usage_mb: process.memoryUsage.rss() / 2 ** 20,
    version: subject.version,
    tasks: campaign.tasks(),
    nodes: { connected: list.length - lost, lost, list },
  };
}
