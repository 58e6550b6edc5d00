import { AstroScaleError } from "../../protocol/errors.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import type { CatalogSource, HeldOutSet } from "../catalogs/catalog.ts";

/**
 * The rows a task is scored on, if its catalog can serve it at all.
 *
 * @throws {AstroScaleError} `column_missing` as `CatalogSource.heldOut`; `invalid_request` when the catalog
 * holds no rows out or has fewer shards than the task wants nodes
 */
export function heldOutOf(task: TaskSpec, source: CatalogSource): HeldOutSet {
  const heldOut = source.heldOut(task.features, task.label);
  if (heldOut.rows === 0) {
    throw new AstroScaleError("invalid_request", `catalog ${task.catalog} holds no rows out to score on`);
  }
  if (task.rules.minNodes > source.shards.length) {
    throw new AstroScaleError(
      "invalid_request",
      `minNodes ${task.rules.minNodes} exceeds the catalog's ${source.shards.length} shards`,
    );
  }
  return heldOut;
}
