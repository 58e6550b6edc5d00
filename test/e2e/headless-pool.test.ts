import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium } from "playwright";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { browserRuntime } from "../../coordinator/headless/browser/browser-runtime.ts";
import { findChromium } from "../../coordinator/headless/browser/chromium.ts";
import { thisMachine } from "../../coordinator/headless/browser/machine.ts";
import { playwrightLauncher } from "../../coordinator/headless/browser/playwright-browser.ts";
import { type NodePool, nodeOrders, startNodePool } from "../../coordinator/headless/node-pool.ts";
import type { BackendWish } from "../../coordinator/headless/node-runtime.ts";
import type { NodeEvent } from "../../coordinator/headless/supervised-node.ts";

/** A web client whose node trains for ever, leaves when asked to, and finishes when told to. */
const CLIENT = `<!doctype html><script>
  const state = { phase: "training", backend: "wasm", device: location.search, notice: null,
    examplesPerSecond: 100, examplesTrained: 5, updatesAccepted: 1, error: null };
  globalThis.astroscaleNode = {
    state: () => state,
    stop: async () => { state.phase = "stopped"; await fetch("/left", { method: "POST" }); },
  };
</script>`;

// As strict as the coordinator's own policy could be: the pool must need no eval.
const POLICY = "default-src 'self'; script-src 'unsafe-inline'; require-trusted-types-for 'script'";

let server: Server;
let origin: string;
let visits: URL[];
let left: number;
let browsers: Browser[];
let pool: NodePool | undefined;
let events: NodeEvent[];

beforeEach(async () => {
  visits = [];
  left = 0;
  browsers = [];
  events = [];
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/") visits.push(url);
    if (url.pathname === "/left") left += 1;
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("content-type", "text/html");
    response.end(url.pathname === "/" ? CLIENT : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const launch = chromium.launch.bind(chromium);
  vi.spyOn(chromium, "launch").mockImplementation(async (options) => {
    const browser = await launch(options);
    browsers.push(browser);
    return browser;
  });
});

afterEach(async () => {
  await pool?.stop();
  pool = undefined;
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function start(count: number, backend: BackendWish = "wasm"): Promise<NodePool> {
  const machine = thisMachine();
  const executablePath = await findChromium(machine);
  if (executablePath === null) throw new Error("no chromium on this machine");
  pool = await startNodePool({
    coordinator: origin,
    backend,
    nodes: nodeOrders("edge", count, "stars"),
    runtime: browserRuntime(playwrightLauncher({ executablePath, machine, coordinator: origin, backend })),
    onEvent: (event) => void events.push(event),
  });
  return pool;
}

function kinds(name: string): string[] {
  return events.flatMap((event) => ("name" in event && event.name === name ? [event.kind] : []));
}

test("each node opens the web client in storage of its own, under its name, and leaves when the pool stops", async () => {
  const running = await start(2);
  await vi.waitFor(() => expect(events.filter(({ kind }) => kind === "running")).toHaveLength(2), 20_000);

  expect(visits.map(({ search }) => search).toSorted()).toEqual([
    "?join=auto&name=edge-1&backend=wasm&threads=1&task=stars",
    "?join=auto&name=edge-2&backend=wasm&threads=1&task=stars",
  ]);
  expect(browsers[0]?.contexts()).toHaveLength(2);
  const summaries = await running.stop();

  expect(left).toBe(2);
  expect(summaries.map(({ phase, updatesAccepted }) => ({ phase, updatesAccepted }))).toEqual([
    { phase: "stopped", updatesAccepted: 1 },
    { phase: "stopped", updatesAccepted: 1 },
  ]);
  expect(browsers[0]?.isConnected()).toBe(false);
});

test("a node whose page crashes is opened again, and the other one goes on", async () => {
  await start(2);
  await vi.waitFor(() => expect(events.filter(({ kind }) => kind === "running")).toHaveLength(2), 20_000);

  const page = browsers[0]?.contexts()[0]?.pages()[0];
  if (!page) throw new Error("no page");
  const name = new URL(page.url()).searchParams.get("name") ?? "";
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => undefined); // a crashed page answers nothing

  await vi.waitFor(() => expect(kinds(name)).toEqual(["running", "restarting", "running"]), 20_000);
  expect(kinds(name === "edge-1" ? "edge-2" : "edge-1")).toEqual(["running"]);
  const summary = pool?.summaries().find((node) => node.name === name);
  expect(summary).toMatchObject({ restarts: 1, updatesAccepted: 2 });
});

test("when the browser process dies, one new browser takes all nodes", async () => {
  await start(2);
  await vi.waitFor(() => expect(events.filter(({ kind }) => kind === "running")).toHaveLength(2), 20_000);

  const session = await browsers[0]?.newBrowserCDPSession();
  session?.send("Browser.crash").catch(() => undefined);

  await vi.waitFor(() => {
    expect(kinds("edge-1")).toEqual(["running", "restarting", "running"]);
    expect(kinds("edge-2")).toEqual(["running", "restarting", "running"]);
  }, 20_000);
  expect(browsers).toHaveLength(2);
});

const HAS_ADAPTER = "navigator.gpu?.requestAdapter().then((adapter) => adapter !== null) ?? false";

test.each<[BackendWish, boolean]>([
  ["webgpu", true], // computed on the processor where there is no device
  ["wasm", false],
])("pages of a %s pool have a WebGPU adapter: %s", async (backend, expected) => {
  await start(1, backend);
  await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toEqual(["running"]), 20_000);
  const page = browsers.at(-1)?.contexts()[0]?.pages()[0];
  expect(await page?.evaluate(HAS_ADAPTER)).toBe(expected);
});
