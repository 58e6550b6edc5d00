const TARGET_MS = 40; // below the 50 ms after which a page's own frames would be seen to stutter
const FIRST_FLOP_PER_MS = 1e6; // a slow software adapter; anything faster is found out by the first submit
const DISPATCH_FLOP = 2e4; // a dispatch costs about 20 µs there whatever it computes
const MEMORY = 0.5; // of the newest measurement in the running estimate

/** Arithmetic of some work, a dispatch counted as what a software adapter computes in its time. */
export function workOf(multiplyAdds: number, dispatches: number): number {
  return 2 * multiplyAdds + DISPATCH_FLOP * dispatches;
}

/** How fast a device turned out to be, and so how much work makes a submit of about 40 ms. */
export class Pace {
  #flopPerMs = FIRST_FLOP_PER_MS;

  /** How many units of `work` to submit at once: at least 1. */
  units(work: number): number {
    return Math.max(Math.floor((TARGET_MS * this.#flopPerMs) / work), 1);
  }

  /** Learns from `work` that took `ms`. */
  learn(work: number, ms: number): void {
    const measured = work / Math.max(ms, 0.1);
    this.#flopPerMs += MEMORY * (measured - this.#flopPerMs);
  }
}
