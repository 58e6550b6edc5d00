import { createHash } from "node:crypto";
import type { Catalog, Shard } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { encodeShard } from "./arrow-shard.ts";
import type { CatalogSource } from "./catalog.ts";
import type { CatalogTable } from "./catalog-table.ts";
import { heldOutSet } from "./held-out-set.ts";

/** What people are told about a catalog beside its rows. */
export type CatalogDescription = Omit<Catalog, "columns" | "rows" | "heldOutRows" | "shards">;

/** How a table becomes a catalog. */
export interface TableCatalogOptions {
  readonly description: CatalogDescription;
  /** Whether a row stays at the coordinator. */
  readonly isHeldOut: (row: number) => boolean;
  /** Into how many row ranges the table is cut, at least 1. */
  readonly shards: number;
  /** Rows from 0 that are cut into ranges; every later one must be held out. */
  readonly cutRows: number;
}

interface RowRange {
  readonly id: string;
  /** The training rows of the range. */
  readonly rows: readonly number[];
}

/**
 * A catalog of a table's rows. Shard `k` of `n` is rows `floor(k * cutRows / n)` to
 * `floor((k + 1) * cutRows / n) - 1` without the held-out ones, named `rows-FIRST-LAST`; a range without training rows gives no shard. All bytes
 * are made here, once.
 */
export function createTableCatalog(table: CatalogTable, options: TableCatalogOptions): CatalogSource {
  const { description, isHeldOut } = options;
  const bytesById = new Map<string, Uint8Array<ArrayBuffer>>();
  const shards: Shard[] = [];
  for (const { id, rows } of rowRanges(options)) {
    const bytes = encodeShard(table, rows);
    const etag = createHash("sha256").update(bytes).digest("hex");
    bytesById.set(id, bytes);
    shards.push({ catalog: description.id, id, rows: rows.length, bytes: bytes.length, etag });
  }
  const heldOutRows = Array.from({ length: table.rows }, (_, row) => row).filter(isHeldOut);

  return {
    catalog: {
      ...description,
      columns: table.columns.map(({ column }) => column),
      rows: table.rows,
      heldOutRows: heldOutRows.length,
      shards: shards.length,
    },
    shards,
    async shardBytes(id) {
      const bytes = bytesById.get(id);
      if (!bytes) throw new AstroScaleError("not_found", `catalog "${description.id}" has no shard "${id}"`);
      return bytes;
    },
    heldOut: (features, label) => heldOutSet(table, { rows: heldOutRows, features, label }),
  };
}

function rowRanges({ cutRows, shards, isHeldOut }: TableCatalogOptions): RowRange[] {
  return Array.from({ length: shards }, (_, k) => {
    const start = Math.floor((k * cutRows) / shards);
    const end = Math.floor(((k + 1) * cutRows) / shards);
    const training = Array.from({ length: end - start }, (__, i) => start + i).filter(
      (row) => !isHeldOut(row),
    );
    return { id: `rows-${start}-${end - 1}`, rows: training };
  }).filter((range) => range.rows.length > 0);
}
