import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../coordinator/package-root.ts";

/** A run of the built `astroscale` command. */
export interface RunningCommand {
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves when `pattern` has been printed; rejects when the command ends without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Standard output alone, after the end. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string }>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Runs `astroscale` with `words` as a process of its own, as a person would. */
export function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningCommand {
  const cli = join(packageRoot(), "dist/coordinator/cli.js");
  if (!existsSync(cli)) throw new Error(`${cli} is not there: run \`npm run build\` first`);
  const child = spawn(process.execPath, [cli, ...words], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let all = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    hear(text);
  });
  child.stderr.setEncoding("utf8").on("data", hear);
  const ended = new Promise<{ code: number | null; out: string }>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, out });
    });
  });

  function hear(text: string): void {
    all += text;
    for (const listener of listeners) listener();
  }

  return {
    output: () => all,
    ended,
    kill: (signal) => void child.kill(signal),
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(all);
          if (!match) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`the command ended without ${pattern}:\n${all}`)));
      }),
  };
}
