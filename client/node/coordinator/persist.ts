import { AstroScaleError, type ErrorCode } from "../../../protocol/errors.ts";
import type { Announcer } from "../announcer.ts";
import type { Clock } from "../clock.ts";
import { askedWaitMs, backOffMs, isPassing } from "./back-off.ts";

/** What waiting for a coordinator needs. */
export interface PersistOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly announcer: Announcer;
  /** Awaited before each repetition: waits while the node is paused. */
  readonly hold: () => Promise<boolean>;
}

/** `ask`, repeated for as long as the coordinator is away. */
export type Persist = <T>(ask: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * Makes a `Persist`: repeats a request after every passing failure, with growing waits and without end, while
 * the node says that it is reconnecting and why. A node outlives its coordinator's restart.
 */
export function persistence({ clock, random, announcer, hold }: PersistOptions): Persist {
  return async (ask, signal) => {
    const { phase, reason } = announcer.state;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await ask();
        if (attempt > 0) announcer.set({ phase, reason });
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        const waitMs = Math.max(backOffMs(attempt, random()), askedWaitMs(error));
        announcer.set({ phase: "reconnecting", reason: error.message });
        await clock.sleep(waitMs, signal);
        await hold();
      }
    }
  };
}

/** Whether `error` is a refusal with one of `codes`. */
export function hasCode<Code extends ErrorCode>(
  error: unknown,
  ...codes: Code[]
): error is AstroScaleError & { readonly code: Code } {
  return error instanceof AstroScaleError && codes.some((code) => code === error.code);
}
