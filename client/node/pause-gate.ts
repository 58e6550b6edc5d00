import { abortable } from "./abortable.ts";

/** Where a node stops between two pieces of work while it is paused. */
export class PauseGate {
  #asked = new AbortController();
  #opened: Deferred | null = null;
  #held: Deferred | null = null;

  /** Aborts when a pause is asked for; a fresh signal after every resume. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Closes the gate. Resolves when the node holds there. */
  async pause(): Promise<void> {
    if (this.#opened === null) {
      this.#opened = deferred();
      this.#held = deferred();
      this.#asked.abort(new DOMException("the node is paused", "AbortError"));
    }
    await this.#held?.promise;
  }

  /** Opens the gate. */
  resume(): void {
    const opened = this.#opened;
    this.#opened = null;
    this.#held?.resolve();
    this.#held = null;
    this.#asked = new AbortController();
    opened?.resolve();
  }

  /**
   * Passes at once while the gate is open, else waits until it opens.
   *
   * @param onHold called before waiting, not when the gate is open
   * @returns whether the caller had to wait
   * @throws the signal's reason when it aborts first
   */
  async pass(signal: AbortSignal, onHold: () => void): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#opened === null) return false;
    while (this.#opened !== null) {
      onHold();
      this.#held?.resolve();
      this.#held = null;
      // A second pause may follow the resume before this continues; then it holds again.
      await abortable(this.#opened.promise, signal);
    }
    return true;
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

// Promise.withResolvers needs Node 22.
function deferred(): Deferred {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle?.() };
}
