import { AstroScaleError } from "../../protocol/errors.ts";
import type { Feature } from "../../protocol/preprocessing.ts";
import type { Label } from "../../protocol/tasks.ts";
import type { HeldOutSet } from "./catalog.ts";
import type { CatalogTable, TableColumn } from "./catalog-table.ts";

/** What a task takes from a catalog's rows. */
export interface Selection {
  /** Row indices of the table. */
  readonly rows: readonly number[];
  readonly features: readonly Feature[];
  readonly label: Label;
}

/**
 * Features and targets of some rows, with the node's arithmetic: columns are rounded to float32 first, a
 * difference is rounded to float32 again.
 *
 * @throws {AstroScaleError} `column_missing` when a feature or the label names no column of the right kind;
 * `invalid_request` when the label's classes are not the column's, or any row of the table lacks the label
 */
export function heldOutSet(table: CatalogTable, { rows, features, label }: Selection): HeldOutSet {
  const terms = features.map(({ plus, minus }) => ({
    plus: numericColumn(table, plus),
    minus: minus === null ? null : numericColumn(table, minus),
  }));
  const x = new Float32Array(rows.length * terms.length);
  let at = 0;
  for (const row of rows) {
    for (const { plus, minus } of terms) {
      x[at] = minus === null ? valueAt(plus, row) : valueAt(plus, row) - valueAt(minus, row);
      at += 1;
    }
  }
  return { rows: rows.length, x, targets: targets(table, rows, label) };
}

/** The value as a node has it: float32, NaN where missing. */
function valueAt({ values, missing }: TableColumn, row: number): number {
  return missing[row] === 1 ? Number.NaN : Math.fround(values[row] ?? Number.NaN);
}

function namedColumn({ columns }: CatalogTable, name: string): TableColumn {
  const found = columns.find(({ column }) => column.name === name);
  if (found) return found;
  const names = columns.map(({ column }) => column.name).join(", ");
  throw new AstroScaleError("column_missing", `no column "${name}"; the catalog has ${names}`);
}

function numericColumn(table: CatalogTable, name: string): TableColumn {
  const found = namedColumn(table, name);
  if (found.column.type === "category") {
    throw new AstroScaleError("column_missing", `column "${name}" is a category, wanted numbers`);
  }
  return found;
}

function targets(table: CatalogTable, rows: readonly number[], label: Label): Float64Array<ArrayBuffer> {
  const column =
    label.kind === "class" ? namedColumn(table, label.column) : numericColumn(table, label.column);
  if (column.missingCount > 0) {
    throw new AstroScaleError(
      "invalid_request",
      `label column "${label.column}" is missing in ${column.missingCount} of ${table.rows} rows`,
    );
  }
  if (label.kind === "value") return Float64Array.from(rows, (row) => valueAt(column, row));
  const classOf = classIndices(column, label.classes);
  return Float64Array.from(rows, (row) => classOf[column.values[row] ?? -1] ?? Number.NaN);
}

/** For every category of the column, its index in `classes`. */
function classIndices({ column, categories }: TableColumn, classes: readonly string[]): number[] {
  if (column.type !== "category") {
    throw new AstroScaleError(
      "column_missing",
      `column "${column.name}" is a ${column.type}, wanted classes`,
    );
  }
  if (categories.toSorted().join() !== classes.toSorted().join()) {
    throw new AstroScaleError(
      "invalid_request",
      `classes are ${classes.join(", ")}; column "${column.name}" has ${categories.join(", ")}`,
    );
  }
  return categories.map((category) => classes.indexOf(category));
}
