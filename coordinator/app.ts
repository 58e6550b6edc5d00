import { Hono } from "hono";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import { AstroScaleError } from "../protocol/errors.ts";
import type { Campaign } from "./campaign/campaign.ts";
import type { CatalogSource } from "./catalogs/catalog.ts";
import type { EventFeed } from "./events/event-feed.ts";
import { answerError } from "./http/error-answer.ts";
import { securityHeaders } from "./http/security-headers.ts";
import type { Log } from "./observability/log.ts";
import type { Metrics } from "./observability/metrics.ts";
import { catalogRoutes } from "./routes/catalogs.ts";
import { eventRoutes } from "./routes/events.ts";
import { federatedRoutes } from "./routes/federated.ts";
import { pageRoutes } from "./routes/pages.ts";
import { statusRoutes } from "./routes/status.ts";
import { taskRoutes } from "./routes/tasks.ts";
import type { Store } from "./store/store.ts";

/** Everything the coordinator answers from. */
export interface AppDependencies {
  readonly campaign: Campaign;
  readonly catalogs: readonly CatalogSource[];
  readonly store: Store;
  readonly feed: EventFeed;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly adminToken: string;
  readonly name: string;
  readonly version: string;
  /** Monotonic milliseconds of the start. */
  readonly startedMs: number;
  readonly draining: () => boolean;
  /** Origins other than its own that may call the API from a page; exact, no wildcard. */
  readonly corsOrigins: readonly string[];
  /** The built client, or `null` to serve the API alone. */
  readonly pagesDirectory: string | null;
}

/** The coordinator as a function from `Request` to `Response`; sockets live in `server.ts`. */
export function createApp(dependencies: AppDependencies): Hono {
  const { campaign, catalogs, feed, log, metrics } = dependencies;
  const app = new Hono();
  app.use(async (c, next) => {
    const startMs = performance.now();
    await next();
    const labels = { method: c.req.method, route: routePath(c, -1), status: c.res.status };
    metrics.observeRequest(labels, (performance.now() - startMs) / 1000);
    // A kept connection would keep the server from closing.
    if (dependencies.draining()) c.res.headers.set("Connection", "close");
  });
  app.use(securityHeaders());
  app.use(
    cors({ origin: [...dependencies.corsOrigins], exposeHeaders: ["ETag", "Retry-After"], maxAge: 600 }),
  );
  app.use(compress());

  app.route("/", statusRoutes(dependencies));
  app.route("/tasks", taskRoutes(campaign, dependencies.adminToken));
  app.route("/catalogs", catalogRoutes(catalogs, campaign));
  app.route("/federated", federatedRoutes(campaign));
  app.route("/federated", eventRoutes(feed));
  if (dependencies.pagesDirectory !== null) app.route("/", pageRoutes(dependencies.pagesDirectory));
  refuseOtherMethods(app);

  app.notFound((c) =>
    answerError(new AstroScaleError("not_found", `there is nothing at ${c.req.path}`), c, log),
  );
  app.onError((error, c) => answerError(error, c, log));
  return app;
}

/** 405 with `Allow` for a known path and another method. */
function refuseOtherMethods(app: Hono): void {
  const allowed = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method !== "ALL") allowed.set(path, (allowed.get(path) ?? new Set<string>()).add(method));
  }
  for (const [path, methods] of allowed) {
    app.all(path, (c) => {
      const allow = [...methods].join(", ");
      c.header("Allow", allow);
      throw new AstroScaleError("method_not_allowed", `${c.req.method} ${c.req.path}: only ${allow}`);
    });
  }
}
