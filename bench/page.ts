// The page of the benchmark: it starts workers and hands on what `processes/bench-browser.ts` asks of them.
import * as Comlink from "comlink";
import type { FirstStepWorker } from "./first-step.ts";
import type { Choice, ShardStep, ShardWish } from "./page/shard-step.ts";
import type { BenchWorker } from "./worker.ts";

/** A node's first epoch, from nothing. */
export interface FirstStep extends ShardStep {
  /** Milliseconds from the start of the worker to the end of the epoch. */
  readonly ms: number;
  /** Of the choice `auto`. */
  readonly choice: Choice | null;
}

let worker: Worker | null = null;
let remote: Comlink.Remote<BenchWorker> | null = null;

function heard(started: Worker): Worker {
  started.addEventListener("error", (event) => reportError(event.error ?? event.message));
  return started;
}

const page = {
  /** Ends the worker with all it holds, and starts another. */
  restart(): void {
    worker?.terminate();
    worker = heard(new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));
    remote = Comlink.wrap<BenchWorker>(worker);
  },
  /** What the worker's `name` gives for `wish`. */
  ask(name: keyof BenchWorker, wish: unknown): Promise<unknown> {
    if (remote === null) throw new Error("no worker has been started");
    const work = remote[name] as (given: unknown) => Promise<unknown>;
    return work(wish);
  },
  /** Trains one epoch of a shard in a worker of its own, from the start of the worker. */
  async firstStep(wish: ShardWish): Promise<FirstStep> {
    const startMs = performance.now();
    const own = heard(new Worker(new URL("./first-step.ts", import.meta.url), { type: "module" }));
    const node = Comlink.wrap<FirstStepWorker>(own);
    const step = await node.firstEpoch(wish);
    const ms = performance.now() - startMs;
    const choice = wish.choice === "auto" ? await node.choose() : null;
    own.terminate();
    return { ...step, ms, choice };
  },
};

/** What the page offers, as `globalThis.bench`. */
export type BenchPage = typeof page;

declare global {
  var bench: BenchPage;
}

globalThis.bench = page;
