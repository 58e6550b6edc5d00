import type { CatalogColumn } from "../../protocol/catalogs.ts";

/** One column of a catalog in memory, one entry a row. */
export interface TableColumn {
  readonly column: CatalogColumn;
  /** As `column.type` says; a `category` is an index into `categories`. Missing is NaN, or 0 where NaN cannot be. */
  readonly values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** 1 where the value is missing. */
  readonly missing: Uint8Array<ArrayBuffer>;
  /** How many values are missing. */
  readonly missingCount: number;
  /** Names of a `category` column's values; empty for other types. */
  readonly categories: readonly string[];
}

/** All rows of a catalog, by column. */
export interface CatalogTable {
  readonly rows: number;
  readonly columns: readonly TableColumn[];
}

const STORAGE = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  category: Int32Array,
} as const;

/** Zeroed storage for `rows` values of a column. */
export function columnStorage(type: CatalogColumn["type"], rows: number): TableColumn["values"] {
  return new STORAGE[type](rows);
}
