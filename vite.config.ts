import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { testLaunch } from "./test/chromium.ts";

/** SharedArrayBuffer and precise timers need an isolated page. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Found late on a cold cache, one of these would make the page reload in the middle of a test. */
const LATE_DEPENDENCIES = [
  "@preact/signals",
  "apache-arrow",
  "comlink",
  "idb",
  "preact",
  "preact/hooks",
  "preact/jsx-dev-runtime",
  "uplot",
  "zod",
];

const client = {
  root: "client",
  build: {
    outDir: "../dist/client",
    emptyOutDir: true,
    target: "es2023" as const,
    // The content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    rolldownOptions: { input: { index: "client/index.html", dashboard: "client/dashboard.html" } },
  },
  worker: { format: "es" as const },
};

const coordinator = {
  build: {
    ssr: true,
    outDir: "dist/coordinator",
    emptyOutDir: true,
    target: "node20" as const,
    rolldownOptions: { input: { cli: "coordinator/cli.ts" } },
  },
};

/** The compute core in Node: a program of its own, because the coordinator holds nothing of the client. */
const edge = {
  build: {
    ssr: true,
    outDir: "dist/edge",
    emptyOutDir: true,
    target: "node20" as const,
    rolldownOptions: {
      input: { edge: "client/edge/edge.ts", "lane-thread": "client/edge/lane-thread.ts" },
    },
  },
};

const builds: Record<string, typeof client | typeof coordinator | typeof edge> = {
  coordinator,
  edge,
  production: client,
  development: client,
};

export default defineConfig(({ mode }) => ({
  ...builds[mode],
  server: { host: "127.0.0.1", headers: isolation },
  preview: { host: "127.0.0.1", headers: isolation },
  test: {
    reporters: process.env["CI"]
      ? ["default", ["json", { outputFile: ".vitest/results.json" }]]
      : ["default"],
    projects: [
      { extends: true, test: { name: "unit", environment: "node", include: ["test/unit/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "e2e",
          environment: "node",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        optimizeDeps: { include: LATE_DEPENDENCIES },
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: testLaunch }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
}));
