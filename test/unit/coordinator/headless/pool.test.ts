import { beforeEach, expect, test } from "vitest";
import { browserRuntime } from "../../../../coordinator/headless/browser/browser-runtime.ts";
import { type NodePool, nodeOrders, startNodePool } from "../../../../coordinator/headless/node-pool.ts";
import type { HeadlessNodeState } from "../../../../coordinator/headless/node-runtime.ts";
import type { NodeEvent } from "../../../../coordinator/headless/supervised-node.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { FakeBrowsers, FakeTime, TRAINING } from "./fakes.ts";

let browsers: FakeBrowsers;
let time: FakeTime;
let events: NodeEvent[];

beforeEach(() => {
  browsers = new FakeBrowsers();
  time = new FakeTime();
  events = [];
});

function start(count: number): Promise<NodePool> {
  return startNodePool({
    coordinator: "http://127.0.0.1:8081",
    backend: "auto",
    nodes: nodeOrders("n", count, null),
    runtime: browserRuntime(browsers.launch),
    onEvent: (event) => void events.push(event),
    sleep: time.sleep,
  });
}

function failed(code: "internal" | "not_found" | "task_finished"): HeadlessNodeState {
  return { ...TRAINING, phase: "failed", error: { code, message: "so it is" } };
}

test("one browser holds all nodes, each in a page of its own", async () => {
  await start(3);
  await time.pass(1_000);

  expect(browsers.launches).toBe(1);
  expect(browsers.pages.map(({ url }) => url.href)).toEqual([
    "http://127.0.0.1:8081/?join=auto&name=n-1&backend=auto&threads=1",
    "http://127.0.0.1:8081/?join=auto&name=n-2&backend=auto&threads=1",
    "http://127.0.0.1:8081/?join=auto&name=n-3&backend=auto&threads=1",
  ]);
});

test("a pool whose nodes have all finished ends by itself and closes its browser", async () => {
  const pool = await start(2);
  for (const name of ["n-1", "n-2"]) {
    browsers.page(name).now = { ...TRAINING, phase: "finished", updatesAccepted: 12, examplesTrained: 960 };
  }
  await time.pass(1_000);

  const node = { phase: "finished", updatesAccepted: 12, examplesTrained: 960, restarts: 0, error: null };
  expect(await pool.done).toMatchObject([
    { name: "n-1", ...node },
    { name: "n-2", ...node },
  ]);
  expect(browsers.openBrowsers).toBe(0);
  expect(browsers.pages.every(({ closed }) => closed)).toBe(true);
});

test("a node whose page crashes comes back after a second, and what it did before still counts", async () => {
  const pool = await start(1);
  browsers.page("n-1").now = { ...TRAINING, updatesAccepted: 3, examplesTrained: 300 };
  await time.pass(1_000);
  browsers.page("n-1").crash();
  await time.pass(1_000);
  expect(events.at(-1)).toEqual({
    kind: "restarting",
    name: "n-1",
    reason: "page.evaluate: Target crashed",
    waitMs: 1_000,
  });
  expect(browsers.pages).toHaveLength(1);
  await time.pass(1_000);

  expect(browsers.pages).toHaveLength(2);
  browsers.page("n-1").now = { ...TRAINING, updatesAccepted: 2, examplesTrained: 200 };
  await time.pass(1_000);
  expect(pool.summaries()).toMatchObject([{ restarts: 1, updatesAccepted: 5, examplesTrained: 500 }]);
});

test("a page that hangs is closed and opened again after 30 s", async () => {
  await start(1);
  await time.pass(1_000);
  browsers.page("n-1").hangs = true;
  await time.pass(29_000);
  expect(browsers.pages).toHaveLength(1);
  await time.pass(3_000);

  expect(browsers.pages).toHaveLength(2);
  expect(browsers.pages[0]?.closed).toBe(true);
});

test("a page in which no node appears is opened again after a minute", async () => {
  await start(1);
  browsers.page("n-1").now = null;
  await time.pass(59_000);
  expect(browsers.pages).toHaveLength(1);
  await time.pass(5_000);
  expect(browsers.pages).toHaveLength(2);
});

test("a node that fails five times in a row is given up, and waits twice as long before each new try", async () => {
  const pool = await start(1);
  const starts: number[] = [];
  for (let life = 1; life <= 5; life += 1) {
    while (browsers.pages.length < life) await time.pass(100);
    starts.push(time.nowMs);
    browsers.page("n-1").now = failed("internal");
    await time.pass(1_000);
  }

  const summaries = await pool.done;
  expect(summaries[0]).toMatchObject({
    phase: "failed",
    restarts: 4,
    error: { code: "internal", message: "failed 5 times in a row, the last time: so it is" },
  });
  // Waits of 1, 2, 4 and 8 s, each after at most a poll of 1 s and a look of 0.1 s.
  const gaps = starts.slice(1).map((ms, index) => ms - (starts[index] ?? 0));
  for (const [index, gap] of gaps.entries()) {
    expect(gap).toBeGreaterThanOrEqual(1_000 * 2 ** index);
    expect(gap).toBeLessThanOrEqual(1_000 * 2 ** index + 1_100);
  }
});

test("an accepted update forgives earlier failures", async () => {
  const pool = await start(1);
  for (let life = 1; life <= 8; life += 1) {
    while (browsers.pages.length < life) await time.pass(1_000);
    browsers.page("n-1").now = { ...TRAINING, updatesAccepted: 1 };
    await time.pass(2_000);
    browsers.page("n-1").crash();
    await time.pass(2_000);
  }
  expect(pool.summaries()[0]).toMatchObject({ restarts: 8, error: null, updatesAccepted: 8 });
});

test("a failure that another try cannot mend gives the node up at once", async () => {
  const pool = await start(1);
  browsers.page("n-1").now = failed("not_found");
  await time.pass(2_000);
  expect(await pool.done).toMatchObject([{ phase: "failed", restarts: 0, error: { code: "not_found" } }]);
});

test("a node that came too late for its task has finished", async () => {
  const pool = await start(1);
  browsers.page("n-1").now = failed("task_finished");
  await time.pass(2_000);
  expect(await pool.done).toMatchObject([{ phase: "finished", error: null }]);
});

test("a coordinator that is away for ten minutes costs no node its place and is told once", async () => {
  const away = new AstroScaleError("coordinator_unreachable", "no coordinator answers");
  browsers.openFaults.push(...Array.from({ length: 120 }, () => away));
  const pool = await start(1);
  await time.pass(120 * 5_000 + 1_000);

  expect(events.map(({ kind }) => kind)).toEqual(["restarting", "running"]);
  expect(pool.summaries()).toMatchObject([{ phase: "training", restarts: 0, error: null }]);
});

test("when the browser process dies, one new browser takes all nodes", async () => {
  const pool = await start(3);
  await time.pass(1_000);
  browsers.kill();
  await time.pass(3_000);

  expect(browsers.launches).toBe(2);
  expect(browsers.pages).toHaveLength(6);
  expect(pool.summaries().map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
});

test("stopping lets every node leave, even one that waits to be restarted or hangs", async () => {
  const pool = await start(3);
  await time.pass(1_000);
  browsers.page("n-2").crash();
  browsers.page("n-3").hangs = true;
  await time.pass(1_500);
  const stopped = pool.stop();
  await time.pass(40_000);

  expect(await stopped).toMatchObject([{ phase: "stopped" }, { phase: "stopped" }, { phase: "stopped" }]);
  expect(browsers.page("n-1").now?.phase).toBe("stopped");
  expect(browsers.openBrowsers).toBe(0);
});

test("a browser that does not start refuses the pool", async () => {
  const fault = new AstroScaleError("chromium_missing", "/usr/bin/chromium does not start");
  const launch = (): Promise<never> => Promise.reject(fault);
  const options = {
    coordinator: "http://127.0.0.1:8081",
    backend: "auto",
    nodes: [],
    runtime: browserRuntime(launch),
  } as const;
  await expect(startNodePool({ ...options, onEvent: () => undefined })).rejects.toBe(fault);
});

test("a fall back and a lost coordinator are told", async () => {
  await start(1);
  await time.pass(500);
  browsers.page("n-1").now = { ...TRAINING, notice: "no adapter: computing with wasm" };
  await time.pass(1_000);
  browsers.page("n-1").now = { ...TRAINING, phase: "reconnecting" };
  await time.pass(3_000);
  browsers.page("n-1").now = TRAINING;
  await time.pass(1_000);

  const running = { kind: "running", name: "n-1", backend: "wasm", device: "WebAssembly SIMD" };
  expect(events).toEqual([
    running,
    { kind: "notice", name: "n-1", text: "no adapter: computing with wasm" },
    { kind: "reconnecting", name: "n-1" },
    running,
  ]);
});
