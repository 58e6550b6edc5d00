/** Time as an argument: tests pass their own. */
export interface Clock {
  /** Milliseconds that never jump; for deadlines and leases. */
  monotonicMs(): number;
  /** Milliseconds since 1970; for people only. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`. @returns cancels it */
  after(delayMs: number, run: () => void): () => void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
