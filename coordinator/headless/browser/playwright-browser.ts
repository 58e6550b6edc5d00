import { type Browser, type BrowserContext, chromium, errors, type Page } from "playwright";
import * as z from "zod";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { type BackendWish, HeadlessNodeState, type RunningNode } from "../node-runtime.ts";
import { chromiumFlags, type GpuMode } from "./chromium-flags.ts";
import type { Machine } from "./machine.ts";
import type { LaunchBrowser, NodeBrowser } from "./node-browser.ts";

/** Which browser to start, and for what. */
export interface PlaywrightOptions {
  readonly executablePath: string;
  readonly machine: Machine;
  /** Origin of the coordinator. */
  readonly coordinator: string;
  readonly backend: BackendWish;
}

const OPEN_LIMIT_MS = 60_000;
/** Any name a browser holds for secure without asking the network; the probe's page comes from here. */
const PROBE_URL = "http://localhost/";
const PROBE_ADAPTER = `navigator.gpu?.requestAdapter().then((adapter) =>
  adapter !== null && !adapter.info.isFallbackAdapter)`;

/** Starts Chromium under Playwright; the graphics device is probed at the first start. */
export function playwrightLauncher(options: PlaywrightOptions): LaunchBrowser {
  let gpu: GpuMode | undefined;
  return async () => {
    gpu ??= await gpuMode(options);
    return nodeBrowser(await launch(options, gpu));
  };
}

async function launch(options: PlaywrightOptions, gpu: GpuMode): Promise<Browser> {
  const { executablePath, machine, coordinator } = options;
  const args = chromiumFlags(machine, gpu, coordinator);
  // The pool lets its nodes leave first, then closes the browser itself.
  const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  try {
    return await chromium.launch({ executablePath, args, headless: true, ...signals });
  } catch (cause) {
    throw new AstroScaleError("chromium_missing", `${executablePath} does not start`, { cause });
  }
}

/** WebGPU on a real device if it is wanted and there; one computed on the processor only if asked for. */
async function gpuMode(options: PlaywrightOptions): Promise<GpuMode> {
  if (options.backend === "wasm") return "none";
  const browser = await launch(options, "device");
  try {
    const page = await browser.newPage();
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto(PROBE_URL);
    const real = await page.evaluate(PROBE_ADAPTER);
    if (real === true) return "device";
  } finally {
    await browser.close();
  }
  return options.backend === "webgpu" ? "swiftshader" : "none";
}

function nodeBrowser(browser: Browser): NodeBrowser {
  const exited = new Promise<void>((resolve) => browser.once("disconnected", () => resolve()));
  const profiles = new Map<string, Promise<BrowserContext>>();
  const contextOf = (profile: string): Promise<BrowserContext> => {
    const context = profiles.get(profile) ?? newContext(browser);
    profiles.set(profile, context);
    return context;
  };
  return {
    exited,
    open: async (url, profile) => open(await contextOf(profile), url),
    close: () => browser.close(),
  };
}

function newContext(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({
    viewport: { width: 480, height: 360 },
    reducedMotion: "reduce", // nobody looks: paint little
  });
}

async function open(context: BrowserContext, url: string): Promise<RunningNode> {
  const page = await context.newPage();
  try {
    await load(page, url);
    return nodePage(page);
  } catch (error) {
    await page.close();
    throw error;
  }
}

async function load(page: Page, url: string): Promise<void> {
  const { origin } = new URL(url);
  const response = await page
    .goto(url, { waitUntil: "domcontentloaded", timeout: OPEN_LIMIT_MS })
    .catch((cause: unknown) => {
      if (!isNetworkFailure(cause)) throw cause;
      throw new AstroScaleError("coordinator_unreachable", `no coordinator answers at ${origin}`, { cause });
    });
  const status = response?.status() ?? 200;
  if (status >= 500 || status === 429) {
    throw new AstroScaleError("coordinator_unreachable", `${origin} answers ${status}`);
  }
  if (status >= 400) {
    throw new AstroScaleError("not_found", `${origin} answers ${status} where the web client should be`);
  }
}

function isNetworkFailure(cause: unknown): boolean {
  return (
    cause instanceof errors.TimeoutError || (cause instanceof Error && cause.message.includes("net::ERR_"))
  );
}

function nodePage(page: Page): RunningNode {
  return {
    async state() {
      const state: unknown = await page.evaluate("globalThis.astroscaleNode?.state() ?? null");
      return z.nullable(HeadlessNodeState).parse(state);
    },
    async stop() {
      await page.evaluate("globalThis.astroscaleNode?.stop()");
    },
    close: () => page.close(),
  };
}
