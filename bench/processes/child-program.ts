import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../../coordinator/package-root.ts";

/** A program of the benchmark in a process of its own, spoken to by messages. */
export class ChildProgram {
  readonly #child: ChildProcess;

  /** Starts `dist/bench/NAME.js`. @param environment variables beside this process's own */
  constructor(
    name: "coordinator" | "crowd" | "floor" | "load",
    environment: Readonly<Record<string, string>> = {},
  ) {
    const file = join(packageRoot(), `dist/bench/${name}.js`);
    this.#child = fork(file, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  /** Sends `message` and waits for the next answer. @throws when the process ends instead */
  async ask<Answer>(message: object): Promise<Answer> {
    const exited = once(this.#child, "exit").then(([code, signal]) => {
      throw new Error(`a process of the benchmark ended with ${code ?? signal}`);
    });
    exited.catch(() => {});
    const answered = once(this.#child, "message");
    this.#child.send(message);
    const [answer] = (await Promise.race([answered, exited])) as [Answer];
    return answer;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exit;
  }
}

/** The other end: answers every message of the parent with what `handle` gives. */
export function answerParent(handle: (message: unknown) => Promise<object>): void {
  process.on("message", (message: unknown) => {
    void handle(message).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  });
  // A parent that was killed leaves nobody to work for.
  process.on("disconnect", () => process.exit(0));
}
