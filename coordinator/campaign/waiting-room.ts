import type { Clock } from "./clock.ts";

/** Where long polls wait for something to change. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next `wake`, after `timeoutMs`, or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#clock.after(timeoutMs, done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** Lets everyone go who waits now. */
  wake(): void {
    for (const done of this.#waiting) done();
  }
}
