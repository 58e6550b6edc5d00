import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Campaign } from "../campaign/campaign.ts";
import type { EventFeed } from "../events/event-feed.ts";

/** What the coordinator counts, under the names of docs/api.md. */
export interface Metrics {
  /** Prometheus text. */
  text(): Promise<string>;
  readonly contentType: string;
  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
}

const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const ROUND_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** Metrics fed by the campaign's events and by the HTTP middleware. */
export function createMetrics(campaign: Campaign, feed: EventFeed): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: "astroscale_http_request_duration_seconds",
    help: "Time from a request's headers to the end of its handler",
    labelNames: ["method", "route", "status"],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  addProcessGauges(registry);
  addCampaignGauges(registry, campaign);
  countRounds(registry, feed);

  let served = 0;
  let failed = 0;
  registry.registerMetric(
    new Gauge({
      name: "astroscale_error_rate",
      help: "Fraction of requests since the start that were answered with a 5xx status",
      registers: [],
      collect() {
        this.set(served === 0 ? 0 : failed / served);
      },
    }),
  );
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    observeRequest(labels, seconds) {
      requests.observe(labels, seconds);
      served += 1;
      if (labels.status >= 500) failed += 1;
    },
  };
}

function addProcessGauges(registry: Registry): void {
  registry.registerMetric(
    new Gauge({
      name: "astroscale_memory_usage_bytes",
      help: "Resident memory of the coordinator",
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    }),
  );
  let before = process.cpuUsage();
  let beforeMs = performance.now();
  registry.registerMetric(
    new Gauge({
      name: "astroscale_cpu_usage_percent",
      help: "Processor time of the coordinator since the last scrape, in percent of one core",
      registers: [],
      collect() {
        const { user, system } = process.cpuUsage(before);
        const nowMs = performance.now();
        this.set((user + system) / 10 / Math.max(nowMs - beforeMs, 1));
        before = process.cpuUsage();
        beforeMs = nowMs;
      },
    }),
  );
}

function addCampaignGauges(registry: Registry, campaign: Campaign): void {
  registry.registerMetric(
    new Gauge({
      name: "astroscale_nodes",
      help: "Nodes by what they are doing",
      labelNames: ["state"],
      registers: [],
      collect() {
        this.reset();
        for (const { state } of campaign.members.all()) this.inc({ state });
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "astroscale_model_score",
      help: "Score of each task's global model on the held-out rows",
      labelNames: ["task", "metric"],
      registers: [],
      collect() {
        this.reset();
        for (const { task, score } of campaign.tasks()) {
          const { kind: _, ...figures } = score ?? { kind: "none" };
          for (const [metric, value] of Object.entries(figures)) this.set({ task: task.id, metric }, value);
        }
      },
    }),
  );
}

function countRounds(registry: Registry, feed: EventFeed): void {
  const registers = [registry];
  const seconds = new Histogram({
    name: "astroscale_round_duration_seconds",
    help: "Time from a round's opening to its closing",
    labelNames: ["task"],
    buckets: ROUND_BUCKETS,
    registers,
  });
  const updates = new Counter({
    name: "astroscale_updates_total",
    help: "Client updates by outcome: accepted and aggregated, or refused with a code",
    labelNames: ["outcome"],
    registers,
  });
  feed.listen((entry) => {
    if (!entry) return;
    const { event } = entry;
    if (event.kind === "update-rejected") updates.inc({ outcome: event.code });
    if (event.kind !== "round" || event.round.phase !== "closed") return;
    seconds.observe({ task: event.round.task }, event.round.seconds ?? 0);
    updates.inc({ outcome: "accepted" }, event.round.participants.length);
  });
}
