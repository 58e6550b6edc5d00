import { join } from "node:path";
import { type Browser, chromium, type LaunchOptions } from "playwright";
import { type PreviewServer, preview } from "vite";
import { packageRoot } from "../../coordinator/package-root.ts";
import { testLaunch } from "../../test/chromium.ts";
import { freePort } from "../../test/support/coordinator-process.ts";
import type { ShardWish } from "../page/shard-step.ts";
import type { FirstStep } from "../page.ts";
import type { BenchWorker } from "../worker.ts";
import { type ProcessTree, processTree } from "./process-tree.ts";

/** What a worker can be asked for. */
export type WorkerWish<Name extends keyof BenchWorker> = Parameters<BenchWorker[Name]>[0];
/** What a worker gives. */
export type WorkerAnswer<Name extends keyof BenchWorker> = Awaited<ReturnType<BenchWorker[Name]>>;

/** Chromium with the benchmark's page open. */
export interface BenchBrowser {
  readonly version: string;
  /** The WebGPU adapter's description; asking starts the browser's GPU process. */
  adapter(): Promise<string>;
  /** What the browser costs the machine. */
  readonly processes: ProcessTree;
  /** Ends the worker with all it holds, and starts another. */
  restart(): Promise<void>;
  /** Calls the worker. */
  ask<Name extends keyof BenchWorker>(name: Name, wish: WorkerWish<Name>): Promise<WorkerAnswer<Name>>;
  /** Trains one epoch of a shard in another worker, from the start of that worker. */
  firstStep(wish: ShardWish): Promise<FirstStep>;
  close(): Promise<void>;
}

/** Opens another browser with the same page, for what must not find traces of earlier work. */
export type BrowserOpener = () => Promise<BenchBrowser>;

/** Where the built page is; files put there are served beside it. */
export function pageFolder(): string {
  return join(packageRoot(), "dist/bench/page");
}

/** SharedArrayBuffer and precise timers need an isolated page, which is also how the coordinator serves ours. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Serves the built page. */
export async function servePage(): Promise<PreviewServer> {
  return preview({
    configFile: false,
    root: packageRoot(),
    build: { outDir: pageFolder() },
    preview: { host: "127.0.0.1", port: await freePort(), strictPort: true, headers: ISOLATION },
    logLevel: "warn",
  });
}

const SOFTWARE_ADAPTER = "--use-webgpu-adapter=swiftshader";

/** The tests' flags, or the same with the machine's own graphics device. */
function launchOptions(hardware: boolean): LaunchOptions {
  if (!hardware) return testLaunch;
  const kept = testLaunch.args.filter((flag) => flag !== SOFTWARE_ADAPTER);
  return { ...testLaunch, args: [...kept, "--enable-features=Vulkan", "--ignore-gpu-blocklist"] };
}

/** Opens the page at `url` in a browser of its own. @param hardware whether WebGPU is a graphics device's */
export async function openBenchBrowser(url: string, hardware: boolean): Promise<BenchBrowser> {
  const browser: Browser = await chromium.launch(launchOptions(hardware));
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${error.stack ?? error.message}\n`));
    await page.goto(url);
    await page.waitForFunction(() => "bench" in globalThis);
    await page.evaluate(() => globalThis.bench.restart());
    const ask: BenchBrowser["ask"] = (name, wish) =>
      page.evaluate((call) => globalThis.bench.ask(call.name, call.wish), { name, wish }) as never;
    return {
      version: browser.version(),
      adapter: () => ask("adapter", undefined),
      processes: await processTree(browser),
      restart: () => page.evaluate(() => globalThis.bench.restart()),
      ask,
      firstStep: (wish) => page.evaluate((given) => globalThis.bench.firstStep(given), wish),
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}
