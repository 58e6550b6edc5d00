import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { CHROMIUM_REMEDY, findChromium } from "./chromium.ts";
import type { Machine } from "./machine.ts";

/** One way to get a browser: programs that run one after the other. */
export interface InstallWay {
  /** What a person would type. */
  readonly title: string;
  readonly programs: readonly (readonly [program: string, ...args: string[]])[];
}

/** What `ensureChromium` does beside looking; tests pass their own. */
export interface Installation {
  /** Called with a line for people. */
  readonly report: (line: string) => void;
  /** Runs a program to its end. @returns whether it succeeded */
  readonly run: (program: string, args: readonly string[]) => Promise<boolean>;
}

// A download of 170 MB at 5 Mbit/s takes 270 s.
const INSTALL_LIMIT_MS = 10 * 60_000;

/** Playwright explains a failed download with stack traces, which explain nothing to people. */
const STACK_FRAME = /^\s+at .*:\d+:\d+\)?$/;

/** The ways to get a browser on this machine, best first. */
export function installWays(machine: Machine): InstallWay[] {
  const manifest = createRequire(import.meta.url).resolve("playwright/package.json");
  const playwright: InstallWay = {
    title: "npx playwright install chromium",
    programs: [[process.execPath, join(dirname(manifest), "cli.js"), "install", "chromium"]],
  };
  if (!machine.isRoot || !machine.exists("/etc/debian_version")) return [playwright];
  const apt: InstallWay = {
    title: "apt-get install chromium",
    programs: [
      ["apt-get", "update", "-q"],
      ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"],
    ],
  };
  return [playwright, apt];
}

/**
 * Path of a browser that starts, installing one when there is none.
 *
 * @throws {AstroScaleError} `chromium_missing` when none is found and every way to install one failed
 */
export async function ensureChromium(machine: Machine, { report, run }: Installation): Promise<string> {
  const found = await findChromium(machine);
  if (found) return found;
  const tried: string[] = [];
  for (const way of installWays(machine)) {
    report(`No Chromium found; installing one: ${way.title}`);
    tried.push(way.title);
    // Success is a browser that starts: Playwright's download can succeed on a system without its libraries.
    const installed = (await runAll(way, run)) ? await findChromium(machine) : null;
    if (installed) return installed;
    report(`${way.title} did not help.`);
  }
  throw new AstroScaleError(
    "chromium_missing",
    `no Chromium found, and it could not be installed by ${tried.join(" or ")}; ${CHROMIUM_REMEDY}`,
  );
}

async function runAll(way: InstallWay, run: Installation["run"]): Promise<boolean> {
  for (const [program, ...args] of way.programs) {
    if (!(await run(program, args))) return false;
  }
  return true;
}

/** Runs an installer, handing its output on line by line; ends it when `signal` aborts or after 10 minutes. */
export function streamProgram(
  report: (line: string) => void,
  signal: AbortSignal,
): (program: string, args: readonly string[]) => Promise<boolean> {
  return (program, args) =>
    new Promise((resolve) => {
      const child = spawn(program, args, {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        signal: AbortSignal.any([signal, AbortSignal.timeout(INSTALL_LIMIT_MS)]),
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8");
        stream.on("data", (text: string) => {
          for (const line of text.split(/[\r\n]+/)) {
            if (line.trim() && !STACK_FRAME.test(line)) report(`  ${line.trimEnd()}`);
          }
        });
      }
      child.on("error", () => resolve(false));
      child.on("close", (code) => resolve(code === 0));
    });
}
