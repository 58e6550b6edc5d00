import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright";
import { preview } from "vite";
import { packageRoot } from "../../coordinator/package-root.ts";
import { testLaunch } from "../../test/chromium.ts";
import { freePort } from "../../test/support/coordinator-process.ts";

/** Chromium with the benchmark's page open. */
export interface BenchBrowser {
  readonly version: string;
  readonly adapter: string;
  readonly page: Page;
  close(): Promise<void>;
}

/** SharedArrayBuffer and precise timers need an isolated page, which is also how the coordinator serves ours. */
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Opens the built page in a browser of its own, with the flags of the tests. */
export async function openBenchBrowser(): Promise<BenchBrowser> {
  const server = await preview({
    configFile: false,
    root: packageRoot(),
    build: { outDir: join(packageRoot(), "dist/bench/page") },
    preview: { host: "127.0.0.1", port: await freePort(), strictPort: true, headers: ISOLATION },
    logLevel: "warn",
  });
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch(testLaunch);
    const page = await browser.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${error.stack ?? error.message}\n`));
    await page.goto(server.resolvedUrls?.local[0] ?? "");
    await page.waitForFunction(() => "bench" in globalThis);
    const opened = browser;
    return {
      version: browser.version(),
      adapter: await page.evaluate(() => globalThis.bench.adapter()),
      page,
      async close() {
        await opened.close();
        await server.close();
      },
    };
  } catch (error) {
    await browser?.close();
    await server.close();
    throw error;
  }
}
