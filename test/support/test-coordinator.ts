import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { createApp } from "../../coordinator/app.ts";
import { Campaign } from "../../coordinator/campaign/campaign.ts";
import { openSampleCatalogs } from "../../coordinator/catalogs/sample-catalogs.ts";
import { EventFeed } from "../../coordinator/events/event-feed.ts";
import { createLog } from "../../coordinator/observability/log.ts";
import { createMetrics } from "../../coordinator/observability/metrics.ts";
import { openEmbeddedStore } from "../../coordinator/store/embedded.ts";
import type { Store } from "../../coordinator/store/store.ts";
import { localTraining } from "../../protocol/local-training.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { ManualClock } from "./manual-clock.ts";

/** A coordinator without a socket, on a directory of its own. */
export interface TestCoordinator {
  readonly app: Hono;
  readonly campaign: Campaign;
  readonly clock: ManualClock;
  readonly feed: EventFeed;
  readonly store: Store;
  readonly adminToken: string;
  /** Closes everything and opens it again on the same directory, as a restart does. */
  restart(): Promise<TestCoordinator>;
  dispose(): Promise<void>;
}

const SAMPLES = new URL("../../coordinator/catalogs/samples", import.meta.url).pathname;
const catalogs = openSampleCatalogs(SAMPLES, { shards: 4 });

/** A task that trains in no time: logistic regression on three features. */
export const TINY_TASK: TaskSpec = {
  id: "tiny",
  title: "Tiny",
  description: "A linear model for tests.",
  catalog: "sdss-dr14",
  features: [
    { name: "r", plus: "r", minus: null },
    { name: "g-r", plus: "g", minus: "r" },
    { name: "u-g", plus: "u", minus: "g" },
  ],
  label: { kind: "class", column: "class", classes: ["GALAXY", "QSO", "STAR"] },
  model: { inputs: 3, hidden: [], outputs: 3, activation: "relu", head: "softmax-cross-entropy" },
  training: localTraining({
    localEpochs: 1,
    batchSize: 64,
    localLearningRate: 0.1,
    optimizer: { kind: "sgd" },
  }),
  strategy: { kind: "fedavg" },
  rules: {
    rounds: 3,
    minNodes: 2,
    maxNodes: 10,
    roundDeadlineSecs: 60,
    roundIntervalSecs: 0,
    maxUpdateNorm: 10,
  },
  seed: 7,
  baselineOf: null,
};

/** @param tasks the tasks it has when it is new */
export async function openTestCoordinator(
  tasks: readonly TaskSpec[] = [TINY_TASK],
): Promise<TestCoordinator> {
  const directory = await mkdtemp(join(tmpdir(), "astroscale-test-"));
  return open(directory, tasks);
}

async function open(directory: string, tasks: readonly TaskSpec[]): Promise<TestCoordinator> {
  const clock = new ManualClock();
  const feed = new EventFeed();
  const log = createLog("silent");
  const store = await openEmbeddedStore(directory);
  const campaign = await Campaign.open({ store, clock, feed, catalogs: await catalogs, log }, tasks);
  const adminToken = "an-admin-token-for-tests";
  const app = createApp({
    campaign,
    catalogs: await catalogs,
    store,
    feed,
    metrics: createMetrics(campaign, feed),
    log,
    adminToken,
    name: "test",
    version: "0.0.0",
    startedMs: performance.now(),
    draining: () => false,
    corsOrigins: ["https://allowed.example"],
    pagesDirectory: null,
  });
  const close = async (): Promise<void> => {
    await campaign.stop();
    await store.close();
  };
  return {
    app,
    campaign,
    clock,
    feed,
    store,
    adminToken,
    async restart() {
      await close();
      return open(directory, tasks);
    },
    async dispose() {
      await close();
      await rm(directory, { recursive: true });
    },
  };
}
