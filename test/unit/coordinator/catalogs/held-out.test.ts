import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { CatalogSource } from "../../../../coordinator/catalogs/catalog.ts";
import type { CatalogTable } from "../../../../coordinator/catalogs/catalog-table.ts";
import { heldOutSet } from "../../../../coordinator/catalogs/held-out-set.ts";
import { openSampleCatalogs } from "../../../../coordinator/catalogs/sample-catalogs.ts";
import { isHeldOut } from "../../../../protocol/held-out.ts";
import type { Feature } from "../../../../protocol/preprocessing.ts";
import type { Label } from "../../../../protocol/tasks.ts";

const SAMPLES = fileURLToPath(new URL("../../../../coordinator/catalogs/samples/", import.meta.url));
const FEATURES: Feature[] = [
  { name: "r", plus: "r", minus: null },
  { name: "u-g", plus: "u", minus: "g" },
  { name: "ra", plus: "ra", minus: null },
];
const CLASS: Label = { kind: "class", column: "class", classes: ["STAR", "GALAXY", "QSO"] };

let sdss: CatalogSource;
let boss: CatalogSource;
beforeAll(async () => {
  const [first, second] = await openSampleCatalogs(SAMPLES);
  if (!first || !second) throw new Error("two catalogs are bundled");
  sdss = first;
  boss = second;
});

describe("held-out rows", () => {
  test("of SDSS are the 2,001 hashed rows, with float32 colours and the task's class indices", () => {
    const [, ...lines] = readFileSync(`${SAMPLES}sdss-dr14/skyserver_dr14_class.csv`, "utf8")
      .trimEnd()
      .split("\r\n");
    const rows = lines.map((line) => line.split(",")).filter((_, row) => isHeldOut(row));
    const set = sdss.heldOut(FEATURES, CLASS);
    expect(set.rows).toBe(2001);
    expect([...set.x]).toEqual(
      rows.flatMap(([, ra, , u, g, r]) => [
        Math.fround(Number(r)),
        Math.fround(Math.fround(Number(u)) - Math.fround(Number(g))),
        Math.fround(Number(ra)),
      ]),
    );
    expect([...set.targets]).toEqual(rows.map((row) => ["STAR", "GALAXY", "QSO"].indexOf(row[17] ?? "")));
  });

  test("of BOSS are the eval file, with redshifts as targets and no clipping", () => {
    const label: Label = { kind: "value", column: "Z", unit: null };
    const set = boss.heldOut([{ name: "u", plus: "MAG_U", minus: null }], label);
    const [, ...lines] = readFileSync(`${SAMPLES}boss-dr10/annz_eval_boss_dr10_eval0.csv`, "utf8")
      .trimEnd()
      .split("\n");
    expect([...set.x]).toEqual(lines.map((line) => Math.fround(Number(line.split(",")[0]))));
    expect([...set.targets]).toEqual(lines.map((line) => Math.fround(Number(line.split(",")[10]))));
  });

  test.each([
    [
      "a feature's column",
      [{ name: "w1", plus: "w1mpro", minus: null }],
      CLASS,
      /no column "w1mpro"; .*ra, dec/,
    ],
    ["a colour's second column", [{ name: "u-y", plus: "u", minus: "y" }], CLASS, /no column "y"/],
    [
      "a category as a feature",
      [{ name: "c", plus: "class", minus: null }],
      CLASS,
      /is a category, wanted numbers/,
    ],
    ["the label's column", FEATURES, { ...CLASS, column: "type" }, /no column "type"/],
    ["a number as class", FEATURES, { ...CLASS, column: "plate" }, /"plate" is a int32, wanted classes/],
    ["a category as value", FEATURES, { kind: "value", column: "class", unit: null }, /wanted numbers/],
  ] as const)("are refused as column_missing for %s", (_what, features, label, message) => {
    const heldOut = () => sdss.heldOut(features, label);
    expect(heldOut).toThrow(expect.objectContaining({ code: "column_missing" }));
    expect(heldOut).toThrow(message);
  });

  test.each([[["STAR", "GALAXY"]], [["STAR", "GALAXY", "QSO", "UNKNOWN"]], [["STAR", "GALAXY", "qso"]]])(
    "are refused as invalid_request for the classes %j",
    (classes) => {
      expect(() => sdss.heldOut(FEATURES, { kind: "class", column: "class", classes })).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    },
  );
});

describe("a table with missing values", () => {
  const TABLE: CatalogTable = {
    rows: 3,
    columns: ["a", "b"].map((name, c) => ({
      column: { name, type: "int32", unit: null, ucd: null, description: "", sentinels: [] },
      values: Int32Array.of(10, 0, 30).map((value) => value + c),
      missing: Uint8Array.of(0, c === 0 ? 1 : 0, 0),
      missingCount: c === 0 ? 1 : 0,
      categories: [],
    })),
  };
  const features: Feature[] = [
    { name: "a", plus: "a", minus: null },
    { name: "b-a", plus: "b", minus: "a" },
  ];

  test("has NaN where a feature lacks a column's value", () => {
    const label: Label = { kind: "value", column: "b", unit: null };
    const set = heldOutSet(TABLE, { rows: [1, 2], features, label });
    expect([...set.x]).toEqual([Number.NaN, Number.NaN, 30, 1]);
    expect([...set.targets]).toEqual([1, 31]);
  });

  test("has no label with missing values, even in rows that are not held out", () => {
    const label: Label = { kind: "value", column: "a", unit: null };
    expect(() => heldOutSet(TABLE, { rows: [0, 2], features, label })).toThrow(
      'label column "a" is missing in 1 of 3 rows',
    );
  });
});
