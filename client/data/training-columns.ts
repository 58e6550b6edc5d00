import { AstroScaleError } from "../../protocol/errors.ts";
import type { Feature } from "../../protocol/preprocessing.ts";
import type { Label } from "../../protocol/tasks.ts";
import type { FeatureTerm, Targets } from "../backend/backend.ts";
import type { ShardTable } from "./shard-table.ts";

/** A table of numbers: all that features need of a shard. */
export type NumberTable = Pick<ShardTable, "rows" | "numbers">;

/** What features are computed from: `x[r, f]` of `Backend.encodeFeatures`. */
export interface FeatureColumns {
  /** Planar, each `[rows]`, every needed column once; may be views of shard bytes. */
  readonly columns: readonly Float32Array<ArrayBuffer>[];
  /** One a feature; `plus` and `minus` are indices into `columns`. */
  readonly terms: readonly FeatureTerm[];
}

/**
 * The columns that `features` need, over the rows of all `tables` in order. Columns of several tables are
 * copied once; those of one table are not copied.
 *
 * @throws {AstroScaleError} `column_missing` when a table lacks one
 */
export function featureColumns(tables: readonly NumberTable[], features: readonly Feature[]): FeatureColumns {
  const names = new Map<string, number>();
  const indexOf = (name: string): number => {
    const index = names.get(name) ?? names.size;
    names.set(name, index);
    return index;
  };
  const terms = features.map(({ plus, minus }) => ({
    plus: indexOf(plus),
    minus: minus === null ? null : indexOf(minus),
  }));
  return { columns: [...names.keys()].map((name) => numbersOfAll(tables, name)), terms };
}

/**
 * What is to be predicted, over the rows of all `tables` in order.
 *
 * @throws {AstroScaleError} `column_missing` when a table lacks the label's column; `shard_corrupt` when a row
 * has no label, or a class the task does not know
 */
export function labelTargets(tables: readonly ShardTable[], label: Label): Targets {
  if (label.kind === "class") {
    const classes = new Uint32Array(rowsOf(tables));
    place(tables, classes, (table) => table.classIndices(label.column, label.classes));
    return { kind: "class", classes };
  }
  const values = numbersOfAll(tables, label.column);
  const missing = values.findIndex(Number.isNaN);
  if (missing >= 0) {
    throw new AstroScaleError("shard_corrupt", `row ${missing} has no value of label "${label.column}"`);
  }
  return { kind: "value", values };
}

function rowsOf(tables: readonly NumberTable[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

function numbersOfAll(tables: readonly NumberTable[], name: string): Float32Array<ArrayBuffer> {
  const [only, ...others] = tables;
  if (only && others.length === 0) return only.numbers(name);
  const numbers = new Float32Array(rowsOf(tables));
  place(tables, numbers, (table) => table.numbers(name));
  return numbers;
}

function place<Values extends Float32Array | Uint32Array, Table extends NumberTable>(
  tables: readonly Table[],
  all: Values,
  valuesOf: (table: Table) => Values,
): void {
  let at = 0;
  for (const table of tables) {
    all.set(valuesOf(table), at);
    at += table.rows;
  }
}
