import { execFile } from "node:child_process";
import { existsSync } from "node:fs";

/** What the search for a browser asks of the machine; tests describe their own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The superuser of a Unix; always `false` on Windows. */
  readonly isRoot: boolean;
  exists(path: string): boolean;
  /** Whether the program at `path` starts: a Chromium without its system libraries exists but does not. */
  starts(path: string): Promise<boolean>;
  /** Where Playwright's own Chromium is, or would be; `null` when Playwright supports none here. */
  playwrightChromium(): Promise<string | null>;
}

const START_LIMIT_MS = 20_000;

/** The machine this process runs on. */
export function thisMachine(): Machine {
  const { platform, env } = process;
  return {
    platform,
    env,
    isRoot: process.getuid?.() === 0,
    exists: existsSync,
    // On Windows `--version` opens a window instead of printing.
    starts: async (path) => platform === "win32" || printsVersion(path),
    playwrightChromium,
  };
}

function printsVersion(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: START_LIMIT_MS }, (error) => resolve(error === null));
  });
}

async function playwrightChromium(): Promise<string | null> {
  const { chromium } = await import("playwright");
  try {
    return chromium.executablePath();
  } catch {
    // Playwright throws on a platform it has no build for; the search goes on without it.
    return null;
  }
}
