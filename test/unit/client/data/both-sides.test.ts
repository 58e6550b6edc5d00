import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readShardTable } from "../../../../client/data/shard-table.ts";
import { featureColumns, labelTargets } from "../../../../client/data/training-columns.ts";
import { heldOutSet } from "../../../../coordinator/catalogs/held-out-set.ts";
import { openSampleCatalogs } from "../../../../coordinator/catalogs/sample-catalogs.ts";
import { SDSS_DR14_FILE, SDSS_DR14_LAYOUT } from "../../../../coordinator/catalogs/sdss-dr14.ts";
import { readSurveyCsv } from "../../../../coordinator/catalogs/survey-csv.ts";
import { isHeldOut } from "../../../../protocol/held-out.ts";

const SAMPLES = fileURLToPath(new URL("../../../../coordinator/catalogs/samples/", import.meta.url));

test("a node's features and targets of a row have the bits that the coordinator evaluates with", async () => {
  const features = [
    { name: "r", plus: "r", minus: null },
    { name: "u-g", plus: "u", minus: "g" },
    { name: "i-z", plus: "i", minus: "z" },
    { name: "dec", plus: "dec", minus: null },
    { name: "mjd", plus: "mjd", minus: null },
  ];
  const label = { kind: "class" as const, column: "class", classes: ["STAR", "QSO", "GALAXY"] };

  const [sdss] = await openSampleCatalogs(SAMPLES);
  const tables = await Promise.all(
    (sdss?.shards ?? []).map(async (shard) =>
      readShardTable((await sdss?.shardBytes(shard.id)) ?? new Uint8Array(0), shard),
    ),
  );
  const { columns, terms } = featureColumns(tables, features);
  const x = Array.from(columns[0] ?? [], (_, row) =>
    terms.map(({ plus, minus }) => {
      const value = columns[plus]?.[row] ?? Number.NaN;
      return minus === null ? value : Math.fround(value - (columns[minus]?.[row] ?? Number.NaN));
    }),
  ).flat();
  const targets = labelTargets(tables, label);

  // As if the training rows were held out.
  const text = readFileSync(SAMPLES + SDSS_DR14_FILE, "utf8");
  const table = readSurveyCsv([{ name: SDSS_DR14_FILE, text }], SDSS_DR14_LAYOUT);
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => !isHeldOut(row));
  const expected = heldOutSet(table, { rows, features, label });
  expect(x).toEqual([...expected.x]);
  expect(targets).toEqual({ kind: "class", classes: Uint32Array.from(expected.targets) });
});
