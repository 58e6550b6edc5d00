import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import type { CatalogTable, TableColumn } from "../../../../coordinator/catalogs/catalog-table.ts";
import { createTableCatalog } from "../../../../coordinator/catalogs/table-catalog.ts";
import { Catalog, type CatalogColumn, Shard } from "../../../../protocol/catalogs.ts";

const DESCRIPTION = {
  id: "made-up",
  title: "Made up",
  description: "",
  origin: "",
  licence: "",
  acknowledgement: "",
};

function made(name: string, type: CatalogColumn["type"], unit: string | null): CatalogColumn {
  return { name, type, unit, ucd: "meta", description: `The ${name}`, sentinels: [] };
}

/** Row `i` has g = i + 0.5 and plate = i; g is missing in rows 1 and 8, class is STAR in odd rows. */
function table(rows: number): CatalogTable {
  const indices = Array.from({ length: rows }, (_, i) => i);
  const whole = { missing: new Uint8Array(rows), missingCount: 0, categories: [] };
  const columns: TableColumn[] = [
    {
      ...whole,
      column: made("g", "float32", "mag"),
      values: Float32Array.from(indices, (i) => (i === 1 || i === 8 ? Number.NaN : i + 0.5)),
      missing: Uint8Array.from(indices, (i) => (i === 1 || i === 8 ? 1 : 0)),
      missingCount: 2,
    },
    { ...whole, column: made("plate", "int32", null), values: Int32Array.from(indices) },
    {
      ...whole,
      column: made("class", "category", null),
      values: Int32Array.from(indices, (i) => i % 2),
      categories: ["GALAXY", "STAR"],
    },
  ];
  return { rows, columns };
}

function open(rows: number, shards: number, isHeldOut: (row: number) => boolean = () => false) {
  return createTableCatalog(table(rows), { description: DESCRIPTION, isHeldOut, shards, cutRows: rows });
}

async function platesOf(source: ReturnType<typeof open>): Promise<number[][]> {
  return Promise.all(
    source.shards.map(async ({ id }) => [
      ...(tableFromIPC(await source.shardBytes(id))
        .getChild("plate")
        ?.toArray() ?? []),
    ]),
  );
}

describe("a table's shards", () => {
  test("are contiguous row ranges, named by their first and last row, without the held-out rows", async () => {
    const source = open(10, 3, (row) => row % 4 === 0);
    expect(source.shards.map(({ id }) => id)).toEqual(["rows-0-2", "rows-3-5", "rows-6-9"]);
    expect(source.shards.map(({ rows }) => rows)).toEqual([2, 2, 3]);
    expect(await platesOf(source)).toEqual([
      [1, 2],
      [3, 5],
      [6, 7, 9],
    ]);
  });

  test("leave out a range without training rows", () => {
    const source = open(4, 4, (row) => row === 2);
    expect(source.shards.map(({ id }) => id)).toEqual(["rows-0-0", "rows-1-1", "rows-3-3"]);
    expect(source.catalog).toMatchObject({ rows: 4, heldOutRows: 1, shards: 3 });
  });

  test("are at most as many as there are rows", () => {
    expect(open(2, 5).shards.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  test("are what the protocol's schemas want", () => {
    const source = open(10, 3);
    expect(Catalog.parse(source.catalog)).toEqual(source.catalog);
    for (const shard of source.shards) expect(Shard.parse(shard)).toEqual(shard);
  });

  test("have no other ids", async () => {
    await expect(open(10, 2).shardBytes("rows-0-9")).rejects.toMatchObject({ code: "not_found" });
  });

  test("carry missing values as Arrow nulls, and names, units and descriptions in the schema", async () => {
    const source = open(10, 1);
    const arrow = tableFromIPC(await source.shardBytes("rows-0-9"));
    expect([...(arrow.getChild("g") ?? [])]).toEqual([0.5, null, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, null, 9.5]);
    expect([...(arrow.getChild("class") ?? [])].slice(0, 3)).toEqual(["GALAXY", "STAR", "GALAXY"]);
    expect(arrow.schema.fields.map((field) => [field.name, String(field.type), field.nullable])).toEqual([
      ["g", "Float32", true],
      ["plate", "Int32", false],
      ["class", "Dictionary<Int32, Utf8>", false],
    ]);
    expect(arrow.schema.fields[0]?.metadata).toEqual(
      new Map([
        ["description", "The g"],
        ["unit", "mag"],
        ["ucd", "meta"],
      ]),
    );
    expect(arrow.schema.fields[1]?.metadata.has("unit")).toBe(false);
  });

  test("name all categories, in the same order, also where a shard has only some", async () => {
    const source = open(4, 4);
    for (const { id } of source.shards) {
      const [data] = tableFromIPC(await source.shardBytes(id)).getChild("class")?.data ?? [];
      expect([...(data?.dictionary ?? [])]).toEqual(["GALAXY", "STAR"]);
    }
  });
});
