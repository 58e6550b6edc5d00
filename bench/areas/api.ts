import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoordinatorProcess, freePort } from "../../test/support/coordinator-process.ts";
import type { CrowdHold, CrowdReady, CrowdStart } from "../crowd.ts";
import type { FloorAddress } from "../floor.ts";
import type { LoadAnswer, LoadTarget, LoadWish } from "../load.ts";
import { ChildProgram } from "../processes/child-program.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, median, quantile, spread } from "../report/spread.ts";

const NODES = 100;
const LISTENERS = 20;
const WORK_MS = 1_000;
const CALLS_EACH = 1_000;
const CALLS_PER_SECOND = 200;
/** `/health` writes to the disk and flushes at every call; monitors ask far less often. */
const HEALTH_CALLS_PER_SECOND = 100;
/** The p99 is taken in each of this many stretches of time: one stall of the machine spoils one of them. */
const WINDOWS = 5;
const WARM_UP_CALLS = 100;
const MOST_P99_MS = 10;
/** For the last round to close and everyone to be back in a long poll. */
const SETTLE_MS = 3_000;
const CALLS = ["GET /status", "GET /federated/plan", "POST /federated/heartbeat"];
const HEALTH = "GET /health";
const FLOOR = "bare node:http";

/** Latency of the node's and the dashboard's calls while a hundred nodes are connected. */
export async function api(): Promise<AreaResults> {
  const directory = await mkdtemp(join(tmpdir(), "astroscale-bench-"));
  const coordinator = new CoordinatorProcess(await freePort(), directory);
  const programs = {
    crowd: new ChildProgram("crowd"),
    floor: new ChildProgram("floor"),
    load: new ChildProgram("load"),
  };
  try {
    await coordinator.start();
    const { url } = coordinator;
    const start: CrowdStart = { kind: "start", url, nodes: NODES, listeners: LISTENERS, workMs: WORK_MS };
    const { tokens } = await programs.crowd.ask<CrowdReady>(start);
    const floor = await programs.floor.ask<FloorAddress>({});
    const measure = new Measurement(programs.load, { coordinator: url, floor: floor.url }, tokens);
    await measure.latencies("warm-up", WARM_UP_CALLS);
    const busy = await measure.latencies("rounds closing", CALLS_EACH);
    await programs.crowd.ask({ kind: "hold" } satisfies CrowdHold);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const quiet = await measure.latencies("a round open", CALLS_EACH);
    return { title: "API latency", method: METHOD, results: [...quiet, ...busy] };
  } finally {
    await Promise.all(Object.values(programs).map((program) => program.end()));
    await coordinator.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const METHOD = [
  `The coordinator as \`astroscale start\` runs it, ${NODES} nodes connected (long polls open, a heartbeat every 10 s) and`,
  `${LISTENERS} event streams, all in other processes. Each call ${CALLS_EACH} times, ${CALLS_PER_SECOND} calls a second in all (\`/health\` apart,`,
  `${HEALTH_CALLS_PER_SECOND / 2} a second, because it flushes the disk at every call), at fixed times whether earlier ones are answered or`,
  "not. First with one round open, then with a round closing every second or so. A p99 is the median of those of",
  `${WINDOWS} stretches of ${CALLS_EACH / WINDOWS} calls, so that one stall of a machine that has other work does not decide. The peer is a`,
  "bare `node:http` server that answers `{}`, called by the same process in the same run: what the machine and its other",
  "work cost. It flushes nothing.",
].join("\n");

/** The load's process and whom it calls. */
class Measurement {
  readonly #load: ChildProgram;
  readonly #origins: { readonly coordinator: string; readonly floor: string };
  readonly #tokens: readonly string[];

  constructor(
    load: ChildProgram,
    origins: { readonly coordinator: string; readonly floor: string },
    tokens: readonly string[],
  ) {
    this.#load = load;
    this.#origins = origins;
    this.#tokens = tokens;
  }

  /** A result a call. @param when what the nodes are doing */
  async latencies(when: string, callsEach: number): Promise<Result[]> {
    return [
      ...(await this.#measure(CALLS, { when, callsEach, callsPerSecond: CALLS_PER_SECOND })),
      ...(await this.#measure([HEALTH], { when, callsEach, callsPerSecond: HEALTH_CALLS_PER_SECOND })),
    ];
  }

  async #measure(
    calls: readonly string[],
    { when, callsEach, callsPerSecond }: { when: string; callsEach: number; callsPerSecond: number },
  ): Promise<Result[]> {
    const targets: LoadTarget[] = [
      ...calls.map((call) => ({ call, url: this.#origins.coordinator })),
      { call: "GET /", url: this.#origins.floor },
    ];
    const wish: LoadWish = { targets, tokens: this.#tokens, callsEach, callsPerSecond };
    const { ms } = await this.#load.ask<LoadAnswer>(wish);
    const peer = { name: FLOOR, measured: median(windowsP99(ms.at(-1) ?? [])) };
    return calls.map((call, c) => latency(`${call} p99, ${when}`, ms[c] ?? [], peer));
  }
}

function latency(what: string, ms: readonly number[], peer: Result["peer"]): Result {
  const p99 = windowsP99(ms);
  return {
    what,
    measured: median(p99),
    unit: "ms",
    detail: `${spread(p99)}; p50 ${figure(median(ms))}, max ${figure(Math.max(...ms))}`,
    peer,
    target: { of: "measured", bound: "below", value: MOST_P99_MS },
  };
}

function windowsP99(ms: readonly number[]): number[] {
  const length = Math.ceil(ms.length / WINDOWS);
  return Array.from({ length: WINDOWS }, (_, w) => quantile(ms.slice(w * length, (w + 1) * length), 0.99));
}
