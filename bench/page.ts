// The page of the benchmark: it starts workers and hands on what `processes/bench-browser.ts` asks of them.
import * as Comlink from "comlink";
import type { BenchWorker } from "./worker.ts";

let worker: Worker | null = null;
let remote: Comlink.Remote<BenchWorker> | null = null;

const page = {
  /** Ends the worker with all it holds, and starts another. */
  restart(): void {
    worker?.terminate();
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("error", (event) => reportError(event.error ?? event.message));
    remote = Comlink.wrap<BenchWorker>(worker);
  },
  /** What the worker's `name` gives for `wish`. */
  ask(name: keyof BenchWorker, wish: unknown): Promise<unknown> {
    if (remote === null) throw new Error("no worker has been started");
    const work = remote[name] as (given: unknown) => Promise<unknown>;
    return work(wish);
  },
};

/** What the page offers, as `globalThis.bench`. */
export type BenchPage = typeof page;

declare global {
  var bench: BenchPage;
}

globalThis.bench = page;
