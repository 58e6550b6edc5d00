import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { coordinatorApi } from "../../coordinator/commands/coordinator-api.ts";
import { loadConfig } from "../../coordinator/config.ts";
import { browserRuntime } from "../../coordinator/headless/browser/browser-runtime.ts";
import { findChromium } from "../../coordinator/headless/browser/chromium.ts";
import { thisMachine } from "../../coordinator/headless/browser/machine.ts";
import { playwrightLauncher } from "../../coordinator/headless/browser/playwright-browser.ts";
import { type NodePool, nodeOrders, startNodePool } from "../../coordinator/headless/node-pool.ts";
import { type RunningCoordinator, startCoordinator } from "../../coordinator/server.ts";
import { type RunningCommand, runCommand } from "./headless-command.ts";

let folder: string;
let cleanups: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-e2e-"));
  cleanups = [];
});

afterEach(async () => {
  for (const clean of cleanups.toReversed()) await clean();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

async function coordinator(rounds: number): Promise<RunningCoordinator> {
  const running = await startCoordinator(
    loadConfig({}, { port: 0, dataDirectory: join(folder, "data"), logLevel: "silent", rounds }),
  );
  cleanups.push(() => running.close());
  return running;
}

function command(words: readonly string[], env?: Record<string, string>): RunningCommand {
  const running = runCommand(words, env);
  cleanups.push(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  return running;
}

async function pool(url: string, count: number, browsers: Browser[]): Promise<NodePool> {
  const launch = chromium.launch.bind(chromium);
  vi.spyOn(chromium, "launch").mockImplementation(async (options) => {
    const browser = await launch(options);
    browsers.push(browser);
    return browser;
  });
  const machine = thisMachine();
  const executablePath = await findChromium(machine);
  if (executablePath === null) throw new Error("no chromium on this machine");
  const running = await startNodePool({
    coordinator: url,
    backend: "wasm",
    nodes: nodeOrders("edge", count, "sdss-class"),
    runtime: browserRuntime(
      playwrightLauncher({ executablePath, machine, coordinator: url, backend: "wasm" }),
    ),
    onEvent: () => undefined,
  });
  cleanups.push(() => running.stop());
  return running;
}

test("a page that crashes in the middle of a task is replaced, and the task ends with every round", async () => {
  const { url } = await coordinator(12);
  const api = coordinatorApi(url);
  const browsers: Browser[] = [];
  const nodes = await pool(url, 2, browsers);
  const round = async (): Promise<number> => (await api.tasks()).tasks[0]?.round ?? 0;
  await vi.waitFor(async () => expect(await round()).toBeGreaterThanOrEqual(2), 60_000);

  const page = browsers[0]?.contexts()[0]?.pages()[0];
  if (!page) throw new Error("no page");
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => undefined); // a crashed page answers nothing
  const summaries = await nodes.done;

  expect(summaries.map(({ phase, error }) => ({ phase, error }))).toEqual([
    { phase: "finished", error: null },
    { phase: "finished", error: null },
  ]);
  expect(summaries.reduce((sum, { restarts }) => sum + restarts, 0)).toBe(1);
  const { rounds } = await api.rounds("sdss-class");
  expect(rounds.filter(({ phase }) => phase === "closed")).toHaveLength(13);
});

test("nodes that get SIGTERM leave the coordinator, print what they did, and end with exit code 0", async () => {
  const { url } = await coordinator(1_000);
  const words = [
    "nodes",
    "--coordinator",
    url,
    "--count",
    "2",
    "--backend",
    "wasm",
    "--name",
    "ci",
    "--json",
  ];
  const nodes = command(words);
  await nodes.printed(/ci-1: computing with wasm/);
  await nodes.printed(/ci-2: computing with wasm/);
  const api = coordinatorApi(url);
  await vi.waitFor(async () => expect((await api.tasks()).tasks[0]?.round).toBeGreaterThanOrEqual(2), 60_000);
  nodes.kill("SIGTERM");

  const { code, out } = await nodes.ended;
  expect(code).toBe(0);
  const summary: unknown = JSON.parse(out);
  const node = { backend: "wasm", phase: "stopped", restarts: 0, error: null };
  expect(summary).toMatchObject({
    nodes: [
      { name: "ci-1", ...node },
      { name: "ci-2", ...node },
    ],
  });
  // Left, not lost: the coordinator need not wait for their leases to expire.
  expect((await api.status()).nodes).toMatchObject({ connected: 0, lost: 0 });
});

test("the demo trains to the last round, writes its report, and leaves no folder behind", async () => {
  const file = join(folder, "report.json");
  const env = { TMPDIR: folder };
  const demo = command(["demo", "--rounds", "3", "--nodes", "2", "--backend", "wasm", "--json", file], env);
  const { code, out } = await demo.ended;

  expect(demo.output()).not.toContain("error:");
  expect(code).toBe(0);
  expect(out.match(/^round \d of 3: /gm)).toHaveLength(3);
  const report: unknown = JSON.parse(await readFile(file, "utf8"));
  expect(report).toMatchObject({
    task: "sdss-class",
    rounds: [{ round: 1 }, { round: 2 }, { round: 3 }],
    final: { accuracy: expect.any(Number) as number },
    central: { accuracy: expect.any(Number) as number },
    nodes: [
      { name: "headless-1", backend: "wasm" },
      { name: "headless-2", backend: "wasm" },
    ],
  });
  expect((await readdir(folder)).filter((name) => name.startsWith("astroscale-demo-"))).toEqual([]);
});

test("start runs the coordinator with headless nodes and a central one until SIGTERM, exit code 0", async () => {
  const start = command(["start", "--port", "0", "--data-dir", join(folder, "data"), "--backend", "wasm"]);
  const [, url = ""] = await start.printed(/volunteers {2}(http:\S+)\//);
  await start.printed(/Administrator's token, shown this once:\n {2}\S{32,}/);
  for (const name of ["headless-1", "headless-2", "central"]) {
    await start.printed(new RegExp(`${name}: computing with wasm`));
  }
  const status = command(["status", "--coordinator", url]);
  expect(await status.ended).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^sdss-class\.central .*\n[\s\S]*^headless-1 /m) as string,
  });
  start.kill("SIGTERM");
  expect((await start.ended).code).toBe(0);
  expect(start.output()).toMatch(/central: (stopped|finished) after \d+ updates?/);
});

test("start without a browser runs its nodes in Node, and says how to join by hand", async () => {
  const env = { ASTROSCALE_CHROMIUM: join(folder, "no-such-browser") };
  const start = command(["start", "--port", "0", "--data-dir", join(folder, "data")], env);
  await start.printed(/No browser .*: ASTROSCALE_CHROMIUM is \S+, which does not exist\. They run in Node\./);
  const [, url = ""] = await start.printed(/To join by hand open (http:\S+)\/ in a browser/);
  for (const name of ["headless-1", "headless-2", "central"]) {
    await start.printed(new RegExp(`${name}: computing with wasm`));
  }
  expect((await coordinatorApi(url).status()).nodes.connected).toBe(3);
  start.kill("SIGTERM");
  expect((await start.ended).code).toBe(0);
});

test("a demo without a browser runs its nodes in Node, to the same report", async () => {
  const env = { ASTROSCALE_CHROMIUM: join(folder, "no-such-browser"), TMPDIR: folder };
  const demo = command(["demo", "--rounds", "2", "--nodes", "2", "--backend", "wasm"], env);
  const { code, out } = await demo.ended;
  expect(demo.output()).toContain("which does not exist. The nodes run in Node.");
  expect(code).toBe(0);
  expect(out).toMatch(/^federated +0\.\d{4}/m);
  // Neither the coordinator's folder nor the nodes'.
  expect((await readdir(folder)).filter((name) => name.startsWith("astroscale-"))).toEqual([]);
});
