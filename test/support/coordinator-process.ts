import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const CLI = new URL("../../dist/coordinator/cli.js", import.meta.url).pathname;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A built coordinator in a process of its own, on a port and a directory that outlive it. */
export class CoordinatorProcess {
  readonly url: string;
  readonly #port: number;
  readonly #directory: string;
  #child: ChildProcess | null = null;
  #stderr = "";

  constructor(port: number, directory: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#port = port;
    this.#directory = directory;
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const args = [CLI, "start", "--no-browser", "--round-interval", "0"];
    args.push("--port", String(this.#port), "--data-dir", this.#directory);
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stdout.resume();
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    const exited = once(child, "exit").then(([code, signal]) => {
      throw new Error(`coordinator ended with ${code ?? signal}: ${this.#stderr}`);
    });
    const answers = this.#untilItAnswers(child);
    await Promise.race([answers, exited]);
    exited.catch(() => {});
  }

  async #untilItAnswers(child: ChildProcess): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      const response = await fetch(`${this.url}/health`).catch(() => null);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it as `kill -9` does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it as an operator does. @returns its exit code */
  stop(): Promise<number | null> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const exit = once(child, "exit");
    child.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  }
}
