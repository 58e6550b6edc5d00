import type { FitPlan, TrainPlan } from "../../protocol/rounds.ts";
import type { Targets } from "../backend/backend.ts";
import type { FeatureColumns } from "../data/training-columns.ts";

/** The rows of a plan's shards as columns, and how the plan's features are computed from them. */
export interface FeatureRows extends FeatureColumns {
  readonly rows: number;
}

/** Rows and their labels. */
export interface LabelledRows extends FeatureRows {
  readonly targets: Targets;
}

/** Where a node gets the rows of its shards. */
export interface RowSource {
  /**
   * All rows of the plan's shards, in the plan's order.
   *
   * @param onBytes called with the bytes that each shard cost on the network, not for a cached one
   * @throws {AstroScaleError} `column_missing` when a shard lacks a column the features need; `shard_corrupt`
   * when a shard's bytes are not those listed; `coordinator_unreachable` when a shard cannot be fetched
   */
  features(plan: FitPlan, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<FeatureRows>;

  /** As `features`, with the labels. */
  labelled(plan: TrainPlan, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<LabelledRows>;
}
