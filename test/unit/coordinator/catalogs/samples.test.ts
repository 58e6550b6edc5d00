import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Table, tableFromIPC } from "apache-arrow";
import { beforeAll, describe, expect, test } from "vitest";
import type { CatalogSource } from "../../../../coordinator/catalogs/catalog.ts";
import { openSampleCatalogs } from "../../../../coordinator/catalogs/sample-catalogs.ts";
import { Catalog } from "../../../../protocol/catalogs.ts";
import { isHeldOut } from "../../../../protocol/held-out.ts";

const SAMPLES = fileURLToPath(new URL("../../../../coordinator/catalogs/samples/", import.meta.url));

/** Cells of a file as text: a reader of its own, so that the product's is not its own judge. */
function cellsOf(path: string): string[][] {
  const [, ...lines] = readFileSync(SAMPLES + path, "utf8")
    .trimEnd()
    .split(/\r?\n/);
  return lines.map((line) => line.split(","));
}

async function shardTables(source: CatalogSource): Promise<Table[]> {
  return Promise.all(source.shards.map(async ({ id }) => tableFromIPC(await source.shardBytes(id))));
}

function columnOf(tables: readonly Table[], name: string): unknown[] {
  return tables.flatMap((table) => [...(table.getChild(name) ?? [])]);
}

let sources: CatalogSource[];
let sdss: CatalogSource;
let boss: CatalogSource;
beforeAll(async () => {
  sources = await openSampleCatalogs(SAMPLES);
  const [first, second] = sources;
  if (!first || !second) throw new Error("two catalogs are bundled");
  sdss = first;
  boss = second;
});

describe("the bundled catalogs", () => {
  test("are SDSS DR14 and BOSS DR10, in ten shards each", () => {
    expect(sdss.catalog).toMatchObject({ id: "sdss-dr14", rows: 10_000, heldOutRows: 2001, shards: 10 });
    expect(boss.catalog).toMatchObject({ id: "boss-dr10", rows: 20_000, heldOutRows: 2000, shards: 10 });
    for (const { catalog } of sources) expect(Catalog.parse(catalog)).toEqual(catalog);
  });

  test("acknowledge the survey as it asks", () => {
    expect(sdss.catalog.acknowledgement).toMatch(/^Funding for the Sloan Digital Sky Survey IV has been/);
    expect(boss.catalog.acknowledgement).toMatch(/^Funding for SDSS-III has been provided/);
  });

  test("give a unit to every magnitude and angle, and none to redshifts, numbers and classes", () => {
    const units = Object.fromEntries(
      sources.flatMap(({ catalog }) => catalog.columns.map(({ name, unit }) => [name, unit])),
    );
    expect(units).toMatchObject({ ra: "deg", dec: "deg", u: "mag", z: "mag", mjd: "d", redshift: null });
    expect(units).toMatchObject({ MAG_Z: "mag", MAGERR_U: "mag", Z: null, class: null, plate: null });
  });

  test("list shards by the digest and length of their bytes", async () => {
    for (const source of sources) {
      for (const { id, etag, bytes } of source.shards) {
        const stream = await source.shardBytes(id);
        expect(stream.length).toBe(bytes);
        expect(createHash("sha256").update(stream).digest("hex")).toBe(etag);
      }
    }
  });

  test("have the same bytes when they are opened again in the same process", async () => {
    const again = await openSampleCatalogs(SAMPLES);
    expect(again.map(({ shards }) => shards)).toEqual(sources.map(({ shards }) => shards));
  });

  test("can be cut into another number of shards", async () => {
    const [three] = await openSampleCatalogs(SAMPLES, { shards: 3 });
    expect(three?.shards.map(({ id }) => id)).toEqual(["rows-0-3332", "rows-3333-6665", "rows-6666-9999"]);
    expect(three?.shards.reduce((sum, { rows }) => sum + rows, 0)).toBe(7999);
  });

  test("are malformed when the folder is not there", async () => {
    await expect(openSampleCatalogs("/nowhere")).rejects.toMatchObject({
      code: "catalog_malformed",
      message: expect.stringContaining("/nowhere/"),
    });
  });
});

describe("SDSS DR14 shards", () => {
  test("hold every training row's cells and no held-out row's", async () => {
    const training = cellsOf("sdss-dr14/skyserver_dr14_class.csv").filter((_, row) => !isHeldOut(row));
    const tables = await shardTables(sdss);
    const cells = (at: number): number[] => training.map((row) => Number(row[at]));
    expect(columnOf(tables, "ra")).toEqual(cells(1));
    expect(columnOf(tables, "u")).toEqual(cells(3).map(Math.fround));
    expect(columnOf(tables, "z")).toEqual(cells(7).map(Math.fround));
    expect(columnOf(tables, "redshift")).toEqual(cells(13).map(Math.fround));
    expect(columnOf(tables, "mjd")).toEqual(cells(15));
    expect(columnOf(tables, "class")).toEqual(training.map((row) => row[17]));
  });

  test("do not carry the identifiers that a spreadsheet destroyed", () => {
    const names = sdss.catalog.columns.map(({ name }) => name);
    expect(names).toEqual("ra dec u g r i z redshift plate mjd fiberid class".split(" "));
  });

  test("are named by the rows they were cut from", () => {
    expect(sdss.shards[0]).toMatchObject({ catalog: "sdss-dr14", id: "rows-0-999" });
    expect(sdss.shards[9]).toMatchObject({ id: "rows-9000-9999" });
  });
});

describe("BOSS DR10 shards", () => {
  test("hold all rows of the training files, and tell the magnitude MAG_Z from the redshift Z", async () => {
    const training = [0, 1, 3].flatMap((n) => cellsOf(`boss-dr10/annz_train_boss_dr10_${n}.csv`));
    const tables = await shardTables(boss);
    const cells = (at: number): number[] => training.map((row) => Math.fround(Number(row[at])));
    expect(columnOf(tables, "MAG_U")).toEqual(cells(0));
    expect(columnOf(tables, "MAGERR_U")).toEqual(cells(1));
    expect(columnOf(tables, "MAG_Z")).toEqual(cells(8));
    expect(columnOf(tables, "Z")).toEqual(cells(10));
  });

  test("are named by the rows they were cut from", () => {
    expect(boss.shards.map(({ id }) => id).slice(-1)).toEqual(["rows-16200-17999"]);
  });
});
