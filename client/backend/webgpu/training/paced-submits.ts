import type { Gpu } from "../device.ts";
import type { Pace } from "./pace.ts";
import { answered, PATIENCE, type Patience } from "./watchdog.ts";

/** Commands for the device, and how much work they are in the terms of `workOf`. */
export interface Submit {
  readonly commands: GPUCommandBuffer;
  readonly work: number;
}

/** How submits follow each other. */
export interface Pacing {
  /** Learns from each submit. */
  readonly pace: Pace;
  /** Encodes the next submit; `null` when there is none. */
  readonly next: () => Submit | null;
  readonly patience?: Patience;
}

/**
 * Submits what `next` encodes until it gives `null`. At most two submits are under way: the device is never
 * idle, and never has much queued that would hold up others.
 *
 * @throws {AstroScaleError} as `answered`
 */
export async function submitPaced(gpu: Gpu, { pace, next, patience = PATIENCE }: Pacing): Promise<void> {
  const { queue } = gpu.device;
  let finishedAt = performance.now();
  let earlier: Submit | null = null;
  let earlierDone: Promise<unknown> = Promise.resolve();
  const finish = async (): Promise<void> => {
    await answered(gpu, earlierDone, patience);
    const now = performance.now();
    if (earlier) pace.learn(earlier.work, now - finishedAt);
    finishedAt = now;
  };
  for (let submit = next(); submit !== null; submit = next()) {
    queue.submit([submit.commands]);
    const done = gpu.settled(queue.onSubmittedWorkDone());
    // Heard again below, unless an earlier one fails first.
    done.catch(() => {});
    await finish();
    earlier = submit;
    earlierDone = done;
  }
  await finish();
}
