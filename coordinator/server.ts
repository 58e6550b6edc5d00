import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { AstroScaleError } from "../protocol/errors.ts";
import { createApp } from "./app.ts";
import { Campaign } from "./campaign/campaign.ts";
import { systemClock } from "./campaign/clock.ts";
import { openSampleCatalogs } from "./catalogs/sample-catalogs.ts";
import type { CoordinatorConfig } from "./config.ts";
import { defaultTasks } from "./default-tasks.ts";
import { EventFeed } from "./events/event-feed.ts";
import { openAdminToken } from "./http/admin.ts";
import { createLog } from "./observability/log.ts";
import { createMetrics } from "./observability/metrics.ts";
import { packageVersion } from "./package-root.ts";
import { openEmbeddedStore } from "./store/embedded.ts";

/** A coordinator that answers. */
export interface RunningCoordinator {
  /** Its origin, such as `http://127.0.0.1:8081`. */
  readonly url: string;
  /** The administrator's token, only when this start made it. */
  readonly adminToken: string | null;
  /** Takes no more requests, answers those under way (30 s at most), and closes the store. */
  close(): Promise<void>;
}

/** Against slow clients; checked every second. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
const MAX_CONNECTIONS = 5_000;
const DRAIN_MS = 30_000;

/**
 * Opens the store, the bundled catalogs and the socket. Rounds go on where the store has them.
 *
 * @throws {AstroScaleError} `port_in_use`, `store_unavailable`, `disk_full` or `catalog_malformed`
 */
export async function startCoordinator(config: CoordinatorConfig): Promise<RunningCoordinator> {
  const startedMs = performance.now();
  const log = createLog(config.logLevel);
  await makeDataDirectory(config.dataDirectory);
  const catalogs = await openSampleCatalogs(config.samplesDirectory, { shards: config.shards });
  const store = await openEmbeddedStore(join(config.dataDirectory, "store"));
  try {
    const admin = await openAdminToken(config.dataDirectory);
    const feed = new EventFeed();
    const campaign = await Campaign.open(
      { store, clock: systemClock, feed, catalogs, log },
      defaultTasks(config),
    );
    let draining = false;
    const { pagesDirectory } = config;
    const app = createApp({
      ...config,
      pagesDirectory: pagesDirectory !== null && existsSync(pagesDirectory) ? pagesDirectory : null,
      campaign,
      catalogs,
      store,
      feed,
      log,
      metrics: createMetrics(campaign, feed),
      adminToken: admin.token,
      version: packageVersion(),
      startedMs,
      draining: () => draining,
    });
    const { server, url } = await listen(app.fetch, config);
    return {
      url,
      adminToken: admin.isNew ? admin.token : null,
      async close() {
        draining = true;
        await campaign.stop();
        feed.end();
        await drain(server);
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AstroScaleError("store_unavailable", `cannot use ${directory} as data directory: ${why}`, {
      cause,
    });
  }
}

function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { bindAddress, port }: CoordinatorConfig,
): Promise<{ server: Server; url: string }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: bindAddress, port, serverOptions: TIMEOUTS }, (info) => {
      const host = info.family === "IPv6" ? `[${info.address}]` : info.address;
      resolve({ server, url: `http://${host}:${info.port}` });
    }) as Server;
    server.maxConnections = MAX_CONNECTIONS;
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === "EADDRINUSE";
      reject(
        inUse
          ? new AstroScaleError(
              "port_in_use",
              `port ${port} on ${bindAddress} is taken; choose another with --port or ASTROSCALE_NODE_PORT`,
              { cause },
            )
          : cause,
      );
    });
  });
}

/** Waits for requests under way; event streams never end by themselves and are cut. */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(patience);
}
