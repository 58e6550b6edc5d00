import type { Gpu } from "../device.ts";

/** How long a device may be silent. */
export interface Patience {
  readonly ms: number;
  /** Of these, waited apart: a computer that wakes from a longer sleep finds its device a moment later. */
  readonly lastMs: number;
}

export const PATIENCE: Patience = { ms: 20_000, lastMs: 1000 };

/**
 * What `answer` gives. A device that has not given it when patience ends is lost.
 *
 * @throws {AstroScaleError} `device_lost` then, and what `answer` is rejected with
 */
export async function answered<T>(gpu: Gpu, answer: Promise<T>, { ms, lastMs }: Patience): Promise<T> {
  const giveUp = (): void => gpu.loseBecause(`it did not answer for ${ms / 1000} s`);
  let timer = setTimeout(() => {
    timer = setTimeout(giveUp, lastMs);
  }, ms - lastMs);
  try {
    return await gpu.settled(answer);
  } finally {
    clearTimeout(timer);
  }
}
