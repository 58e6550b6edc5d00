import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { coordinatorApi } from "../../coordinator/commands/coordinator-api.ts";
import { loadConfig } from "../../coordinator/config.ts";
import { nodeOrders, startNodePool } from "../../coordinator/headless/node-pool.ts";
import { processRuntime } from "../../coordinator/headless/process/process-runtime.ts";
import type { NodeEvent } from "../../coordinator/headless/supervised-node.ts";
import { packageRoot } from "../../coordinator/package-root.ts";
import { type RunningCoordinator, startCoordinator } from "../../coordinator/server.ts";
import { isHeldOut } from "../../protocol/held-out.ts";
import { testLaunch } from "../chromium.ts";
import { type RunningCommand, runCommand } from "./headless-command.ts";

/** Whoever looks for a browser fails. */
const NO_BROWSER = { ASTROSCALE_CHROMIUM: "/no/such/browser" };
const SAMPLE = join(packageRoot(), "coordinator/catalogs/samples/sdss-dr14/skyserver_dr14_class.csv");

let folder: string;
let cleanups: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-e2e-"));
  cleanups = [];
});

afterEach(async () => {
  for (const clean of cleanups.toReversed()) await clean();
  await rm(folder, { recursive: true, force: true });
});

async function coordinator(rounds: number): Promise<RunningCoordinator> {
  const running = await startCoordinator(
    loadConfig({}, { port: 0, dataDirectory: join(folder, "data"), logLevel: "silent", rounds }),
  );
  cleanups.push(() => running.close());
  return running;
}

function command(words: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const running = runCommand(words, { ...NO_BROWSER, ...env });
  cleanups.push(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  return running;
}

function nodes(url: string, ...words: readonly string[]): readonly string[] {
  return ["nodes", "--coordinator", url, "--runtime", "node", "--task", "sdss-class", "--json", ...words];
}

/** The held-out rows of the bundled sample as a file. */
async function heldOutFile(): Promise<{ path: string; rows: number }> {
  const [header = "", ...lines] = (await readFile(SAMPLE, "utf8")).trimEnd().split("\n");
  const heldOut = lines.filter((_, row) => isHeldOut(row));
  const path = join(folder, "held-out.csv");
  await writeFile(path, [header, ...heldOut].join("\n"));
  return { path, rows: heldOut.length };
}

test("two nodes in Node train the bundled task without a browser, and its model scores a file as the coordinator does", async () => {
  const { url } = await coordinator(12);
  const { code, out } = await command(nodes(url, "--count", "2", "--backend", "wasm", "--threads", "2"))
    .ended;

  expect(code).toBe(0);
  const node = { phase: "finished", backend: "wasm", updatesAccepted: 13, restarts: 0, error: null };
  expect(JSON.parse(out)).toMatchObject({
    nodes: [
      { name: "headless-1", ...node },
      { name: "headless-2", ...node },
    ],
  });
  const { score, state } = await coordinatorApi(url).task("sdss-class");
  expect(state).toBe("finished");
  if (score?.kind !== "class") throw new Error("no class score");
  // Half the rows are galaxies: one who always says so has 0.5.
  expect(score.accuracy).toBeGreaterThan(0.85);

  const { path, rows } = await heldOutFile();
  const words = ["evaluate", "--coordinator", url, "--task", "sdss-class", "--input", path, "--json"];
  const evaluated = await command(words).ended;
  expect(evaluated.code).toBe(0);
  const report = JSON.parse(evaluated.out) as { score: typeof score; classes: { actual: number }[] };
  expect(report).toMatchObject({ task: "sdss-class", round: 12, rows, backend: "wasm" });
  // The coordinator sums layers in float64, the backend in float32: one row in two thousand may change sides.
  expect(Math.abs(report.score.accuracy - score.accuracy)).toBeLessThan(1.5 / rows);
  expect(Math.abs(report.score.loss - score.loss)).toBeLessThan(1e-4);
  expect(report.classes.reduce((sum, { actual }) => sum + actual, 0)).toBe(rows);
});

/** Process and node of every session that is held. */
async function sessions(state: string): Promise<{ pid: number; nodeId: string }[]> {
  const place = join(state, "sessions");
  const names = (await readdir(place)).filter((name) => name.endsWith(".json"));
  return Promise.all(
    names.map(async (name) => {
      const session = JSON.parse(await readFile(join(place, name), "utf8")) as { nodeId: string };
      const pid = await readFile(join(place, name.replace(/json$/, "pid")), "utf8");
      return { pid: Number(pid), nodeId: session.nodeId };
    }),
  );
}

test("a node whose process is killed comes back as the same node, and the task ends with every round", async () => {
  const { url } = await coordinator(40);
  const state = join(folder, "state");
  const api = coordinatorApi(url);
  const events: NodeEvent[] = [];
  const pool = await startNodePool({
    coordinator: url,
    backend: "wasm",
    nodes: nodeOrders("edge", 2, "sdss-class"),
    runtime: processRuntime({ stateDirectory: state }),
    onEvent: (event) => void events.push(event),
  });
  cleanups.push(() => pool.stop());
  await vi.waitFor(async () => expect((await api.task("sdss-class")).round).toBeGreaterThanOrEqual(2), {
    timeout: 60_000,
    interval: 20,
  });

  const before = await sessions(state);
  const [victim] = before;
  if (before.length !== 2 || victim === undefined) throw new Error(`${before.length} sessions`);
  process.kill(victim.pid, "SIGKILL");
  const summaries = await pool.done;

  const end = { phase: "finished", error: null };
  expect(summaries).toMatchObject([end, end]);
  expect(summaries.map(({ restarts }) => restarts).toSorted((a, b) => a - b)).toEqual([0, 1]);
  expect(events).toContainEqual(
    expect.objectContaining({ kind: "restarting", reason: "the node's process ended with SIGKILL" }),
  );
  const { rounds } = await api.rounds("sdss-class");
  expect(rounds.filter(({ phase }) => phase === "closed")).toHaveLength(41);
  const ids = rounds.flatMap(({ participants }) => participants.map(({ nodeId }) => nodeId));
  expect(new Set(ids)).toEqual(new Set(before.map(({ nodeId }) => nodeId)));
  // Every shard was downloaded once, and is there for the next pool.
  expect(await readdir(join(state, "shards"))).toHaveLength(10);
});

test("nodes in Node that get SIGTERM leave the coordinator and end with exit code 0", async () => {
  const { url } = await coordinator(1_000);
  const running = command(nodes(url, "--count", "2", "--name", "ci"));
  const api = coordinatorApi(url);
  await running.printed(/ci-1: computing with/);
  await running.printed(/ci-2: computing with/);
  await vi.waitFor(
    async () => expect((await api.task("sdss-class")).round).toBeGreaterThanOrEqual(2),
    60_000,
  );
  running.kill("SIGTERM");

  const { code, out } = await running.ended;
  expect(code).toBe(0);
  const node = { phase: "stopped", restarts: 0, error: null };
  expect(JSON.parse(out)).toMatchObject({ nodes: [node, node] });
  expect((await api.status()).nodes).toMatchObject({ connected: 0, lost: 0 });
});

test("nodes whose command is killed leave by themselves", async () => {
  const { url } = await coordinator(1_000);
  const running = command(nodes(url, "--count", "2", "--backend", "wasm"));
  const api = coordinatorApi(url);
  await vi.waitFor(
    async () => expect((await api.task("sdss-class")).round).toBeGreaterThanOrEqual(2),
    60_000,
  );
  running.kill("SIGKILL");
  await vi.waitFor(
    async () => expect((await api.status()).nodes).toMatchObject({ connected: 0, lost: 0 }),
    30_000,
  );
});

/** The Vulkan driver of the tests' browser, which computes on the processor. Debian's browser is a script elsewhere. */
const driver = [dirname(testLaunch.executablePath ?? ""), "/usr/lib/chromium"]
  .map((directory) => join(directory, "libvk_swiftshader.so"))
  .find((path) => existsSync(path));

test.skipIf(driver === undefined)(
  "a node in Node computes with WebGPU where the package webgpu finds an adapter",
  async () => {
    // In place of the system's loader.
    await mkdir(join(folder, "vulkan"));
    await symlink(driver ?? "", join(folder, "vulkan/libvulkan.so.1"));
    const { url } = await coordinator(3);
    const words = nodes(url, "--count", "2", "--backend", "webgpu");
    const { code, out } = await command(words, { LD_LIBRARY_PATH: join(folder, "vulkan") }).ended;
    expect(code).toBe(0);
    const node = { phase: "finished", backend: "webgpu", updatesAccepted: 4, error: null };
    expect(JSON.parse(out)).toMatchObject({ nodes: [node, node] });
  },
);
