/** Time as a node sees it; tests pass their own. */
export interface Clock {
  /** Milliseconds since some fixed moment, never going back. */
  now(): number;

  /**
   * Resolves after `ms` milliseconds, and not before pending events had their turn.
   *
   * @throws the signal's reason when it is or becomes aborted
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The clock of the browser (or of Node). */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal.addEventListener("abort", onAbort, { once: true });
    }),
};
