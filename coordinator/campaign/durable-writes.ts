import type { Clock } from "./clock.ts";

const RETRY_MS = 1_000;

/** Writes that are tried until they succeed: a full disk or a busy store delays a round, it does not end it. */
export class DurableWrites {
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  #queued: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param onFailure told of every try that failed */
  constructor(clock: Clock, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Resolves when everything queued so far is on disk, or writing was stopped. */
  get settled(): Promise<void> {
    return this.#queued;
  }

  /** Writes after what was queued before. */
  queue(write: () => Promise<void>): Promise<void> {
    this.#queued = this.#queued.then(() => this.untilDone(write));
    return this.#queued;
  }

  /** Tries `write` every second until it succeeds or writing is stopped. */
  async untilDone(write: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await write();
      } catch (error) {
        this.#onFailure(error);
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve));
      }
    }
  }

  /** No write is begun any more. */
  stop(): void {
    this.#stopped = true;
  }
}
