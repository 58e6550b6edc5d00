import type { Catalog, Shard } from "../../protocol/catalogs.ts";
import type { Feature } from "../../protocol/preprocessing.ts";
import type { Label } from "../../protocol/tasks.ts";

/** Held-out rows of a task, raw: features before imputation and scaling. */
export interface HeldOutSet {
  readonly rows: number;
  /** `[rows, features]` row-major; missing is NaN. */
  readonly x: Float32Array<ArrayBuffer>;
  /** `[rows]`: class indices into `label.classes`, or values. */
  readonly targets: Float64Array<ArrayBuffer>;
}

/** A survey whose rows can be handed to nodes. */
export interface CatalogSource {
  readonly catalog: Catalog;
  /** In a fixed order; each holds no held-out row. */
  readonly shards: readonly Shard[];

  /**
   * A shard's Arrow IPC stream; the same bytes at every call.
   *
   * @throws {AstroScaleError} `not_found`
   */
  shardBytes(id: string): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * The rows that no shard holds, for evaluation at the coordinator.
   *
   * @throws {AstroScaleError} `column_missing` when a feature or the label names no column of the catalog;
   * `invalid_request` when the label's classes are not the column's
   */
  heldOut(features: readonly Feature[], label: Label): HeldOutSet;
}
