import { Hono } from "hono";
import { TaskSpec } from "../../protocol/tasks.ts";
import type { Campaign } from "../campaign/campaign.ts";
import { requireAdmin } from "../http/admin.ts";
import { readJson } from "../http/body.ts";

/** `/tasks`: what can be learned; the administrator adds. */
export function taskRoutes(campaign: Campaign, adminToken: string): Hono {
  const app = new Hono();
  app.get("/", (c) => c.json({ tasks: campaign.tasks() }));
  app.get("/:id", (c) => c.json(campaign.task(c.req.param("id")).status()));
  app.post("/", requireAdmin(adminToken), async (c) => {
    const runner = await campaign.addTask(await readJson(c, TaskSpec));
    c.header("Location", `/tasks/${runner.task.id}`);
    return c.json(runner.status(), 201);
  });
  return app;
}
