import type { Score } from "../../protocol/tasks.ts";

/** Sums up rows, in the order they come, to a score. */
export interface Scorer {
  /**
   * @param outputs `[outputs]` of the model, finite
   * @throws {AstroScaleError} `invalid_request` when `target` is not one of the task's
   */
  add(outputs: Float32Array, target: number): void;
  /** After at least one row. */
  score(): Score;
}
