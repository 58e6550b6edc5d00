import { setImmediate } from "node:timers/promises";

/** How long work may hold the event loop, and how it lets go. */
export interface SliceOptions {
  readonly sliceMs: number;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Resolves after other work had its turn. */
  readonly pause: () => Promise<unknown>;
}

const DEFAULTS: SliceOptions = {
  sliceMs: 2,
  now: () => performance.now(),
  pause: () => setImmediate(),
};

/**
 * What `work` returns, run in slices: it offers to stop at every `yield`, and is paused there when its slice is
 * over. It holds the event loop for `sliceMs` and one step at most.
 */
export async function runInSlices<T>(
  work: Generator<void, T, void>,
  options: Partial<SliceOptions> = {},
): Promise<T> {
  const { sliceMs, now, pause } = { ...DEFAULTS, ...options };
  let sliceEnd = now() + sliceMs;
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    if (now() < sliceEnd) continue;
    await pause();
    sliceEnd = now() + sliceMs;
  }
}
