import { setTimeout as delay } from "node:timers/promises";
import { AstroScaleError } from "../../protocol/errors.ts";

/** Resolves after `ms`, or at once when `signal` aborts. Tests pass a clock of their own. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** The machine's clock; a pending sleep keeps the process alive. */
export const systemSleep: Sleep = async (ms, signal) => {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
};

/**
 * What `promise` resolves to, if it does within `limitMs`.
 *
 * @throws {AstroScaleError} `request_timeout` with `complaint` otherwise
 */
export async function within<T>(
  promise: Promise<T>,
  { limitMs, sleep, complaint }: { limitMs: number; sleep: Sleep; complaint: string },
): Promise<T> {
  const settled = new AbortController();
  const late = sleep(limitMs, settled.signal).then((): never => {
    throw new AstroScaleError("request_timeout", complaint);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    settled.abort();
    // The timer's own rejection comes after the race and concerns nobody.
    late.catch(() => undefined);
  }
}
