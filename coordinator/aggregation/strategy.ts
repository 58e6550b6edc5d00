/** A node's update as a strategy sees it. */
export interface ClientUpdate {
  /** `[parameterCount]`: the node's parameters after training minus the global model it started from. */
  readonly delta: Float32Array<ArrayBuffer>;
  /** Rows it trained on, `n_i > 0`. */
  readonly exampleCount: number;
}

/** How the updates of a round become the next global model. Pure: the same input gives the same bits. */
export interface Strategy {
  /**
   * The next global model.
   *
   * @param parameters `[parameterCount]`, the global model that the updates started from; left as it is
   * @param updates at least one, taken one at a time, so that memory does not grow with the cohort; their
   * order fixes the last bit of the sums
   * @returns a new `[parameterCount]` vector
   * @throws {AstroScaleError} `shape_mismatch` when a delta is not `[parameterCount]`; `non_finite` when it
   * holds NaN or an infinity; `invalid_request` when an example count is not a whole number above 0;
   * `diverged` when the next model does not fit float32
   */
  aggregate(
    parameters: Float32Array<ArrayBuffer>,
    updates: AsyncIterable<ClientUpdate>,
  ): Promise<Float32Array<ArrayBuffer>>;
}
