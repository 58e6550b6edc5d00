import type { NodeBrowser } from "../../../../coordinator/headless/browser/node-browser.ts";
import type { HeadlessNodeState, RunningNode } from "../../../../coordinator/headless/node-runtime.ts";
import type { Sleep } from "../../../../coordinator/headless/sleep.ts";

/** What a healthy node in training says. */
export const TRAINING: HeadlessNodeState = {
  phase: "training",
  backend: "wasm",
  device: "WebAssembly SIMD",
  notice: null,
  examplesPerSecond: 1000,
  examplesTrained: 0,
  updatesAccepted: 0,
  error: null,
};

/** Time that passes only when told to. */
export class FakeTime {
  nowMs = 0;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  readonly sleep: Sleep = (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) resolve();
      const wake = (): void => {
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#sleepers.push({ atMs: this.nowMs + ms, wake });
      signal?.addEventListener("abort", wake);
    });

  /** Lets `ms` pass; every sleeper on the way wakes at its own time. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settled();
      const [next] = this.#sleepers.filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.nowMs = next.atMs;
      next.wake();
    }
    this.nowMs = endMs;
  }
}

/** Resolves after everything that is ready to run has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A page that says what the test sets. */
export class FakePage implements RunningNode {
  now: HeadlessNodeState | null = TRAINING;
  closed = false;
  /** A page that hangs answers nothing. */
  hangs = false;
  readonly url: URL;
  #fault: Error | null = null;

  constructor(url: string) {
    this.url = new URL(url);
  }

  crash(): void {
    this.#fault = new Error("page.evaluate: Target crashed");
  }

  async state(): Promise<HeadlessNodeState | null> {
    if (this.#fault) throw this.#fault;
    if (this.hangs) return new Promise(() => undefined);
    return this.now;
  }

  async stop(): Promise<void> {
    if (this.hangs) return new Promise(() => undefined);
    if (this.now) this.now = { ...this.now, phase: "stopped" };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Browsers a test can look into and kill. */
export class FakeBrowsers {
  readonly pages: FakePage[] = [];
  launches = 0;
  /** Thrown by the next openings, in order. */
  readonly openFaults: Error[] = [];
  readonly #open = new Set<EventTarget>();
  /** Ends the newest browser process. */
  kill: () => void = () => undefined;

  readonly launch = async (): Promise<NodeBrowser> => {
    this.launches += 1;
    const mine: FakePage[] = [];
    const exits = new EventTarget();
    const exited = new Promise<void>((resolve) => {
      exits.addEventListener("exit", () => resolve());
    });
    const exit = (): void => {
      this.#open.delete(exits);
      exits.dispatchEvent(new Event("exit"));
    };
    this.#open.add(exits);
    this.kill = () => {
      for (const page of mine) page.crash();
      exit();
    };
    return {
      exited,
      open: async (url) => {
        const fault = this.openFaults.shift();
        if (fault) throw fault;
        const page = new FakePage(url);
        mine.push(page);
        this.pages.push(page);
        return page;
      },
      close: async () => exit(),
    };
  };

  get openBrowsers(): number {
    return this.#open.size;
  }

  /** The newest page of the node called `name`. */
  page(name: string): FakePage {
    const page = this.pages.findLast(({ url }) => url.searchParams.get("name") === name);
    if (!page) throw new Error(`no page of ${name}`);
    return page;
  }
}
