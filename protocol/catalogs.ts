import * as z from "zod";

/** Names in URLs: lower-case letters, digits, dots and hyphens. */
export const Slug = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);

/** A column as its survey publishes it. */
export const CatalogColumn = z.strictObject({
  name: z.string(),
  type: z.enum(["float32", "float64", "int32", "category"]),
  /** VOUnits spelling; `null` for dimensionless. */
  unit: z.string().nullable(),
  ucd: z.string().nullable(),
  description: z.string(),
  /** Published values that mean "missing"; they travel as Arrow nulls. */
  sentinels: z.array(z.number()),
});
export type CatalogColumn = z.infer<typeof CatalogColumn>;

/** What `GET /catalogs/:catalog` answers. */
export const Catalog = z.strictObject({
  id: Slug,
  title: z.string(),
  description: z.string(),
  columns: z.array(CatalogColumn),
  rows: z.int().nonnegative(),
  heldOutRows: z.int().nonnegative(),
  shards: z.int().nonnegative(),
  origin: z.string(),
  licence: z.string(),
  acknowledgement: z.string(),
});
export type Catalog = z.infer<typeof Catalog>;
export const CatalogList = z.strictObject({ catalogs: z.array(Catalog) });

/** One shard as listed and as named in a round plan. Its bytes never change under the same `etag`. */
export const Shard = z.strictObject({
  catalog: Slug,
  id: Slug,
  rows: z.int().positive(),
  bytes: z.int().positive(),
  /** SHA-256 of the Arrow IPC stream, lower-case hexadecimal. */
  etag: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Shard = z.infer<typeof Shard>;
export const ShardList = z.strictObject({ catalog: Slug, shards: z.array(Shard) });

/** Media type of a shard. */
export const ARROW_STREAM = "application/vnd.apache.arrow.stream";
