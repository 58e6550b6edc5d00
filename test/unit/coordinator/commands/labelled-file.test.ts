import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type LabelledBatch,
  type LabelledRows,
  labelledBatches,
} from "../../../../coordinator/commands/evaluate/labelled-file.ts";
import type { CatalogColumn } from "../../../../protocol/catalogs.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-labelled-"));
  file = join(folder, "stars.csv");
});

afterEach(() => rm(folder, { recursive: true }));

function column(name: string, type: CatalogColumn["type"], sentinels: number[] = []): CatalogColumn {
  return { name, type, unit: null, ucd: null, description: "", sentinels };
}

const classified: LabelledRows = {
  features: [
    { name: "g", plus: "g", minus: null },
    { name: "g-r", plus: "g", minus: "r" },
    { name: "mjd", plus: "mjd", minus: null },
  ],
  label: { kind: "class", column: "class", classes: ["STAR", "QSO"] },
  columns: [
    column("g", "float32", [-9999]),
    column("r", "float64"),
    column("mjd", "int32"),
    column("class", "category"),
  ],
};

async function read(text: string, wanted = classified): Promise<LabelledBatch[]> {
  await writeFile(file, text);
  const batches: LabelledBatch[] = [];
  for await (const batch of labelledBatches(file, wanted)) batches.push(batch);
  return batches;
}

test("rows are columns by name, wherever they stand, with what the survey holds for missing as NaN", async () => {
  const text = "\uFEFFclass,r,note,g,mjd\r\nQSO,0.1,x,1.5,7\r\nSTAR,,y,-9999,\r\n";
  const [batch, ...others] = await read(text);
  expect(others).toEqual([]);
  expect(batch).toEqual({
    rows: 2,
    columns: {
      g: Float32Array.of(1.5, Number.NaN),
      r: Float32Array.of(0.1, Number.NaN),
      mjd: Float32Array.of(7, Number.NaN),
    },
    targets: Float64Array.of(1, 0),
  });
});

test("a value label is a number", async () => {
  const label = { kind: "value", column: "r", unit: null } as const;
  const wanted = { ...classified, features: [{ name: "g", plus: "g", minus: null }], label };
  const [batch] = await read("g,r\n1,0.25\n2,-3\n", wanted);
  expect(batch?.targets).toEqual(Float64Array.of(0.25, -3));
});

test("a long file comes in batches, and a bad line far down is told by its number", async () => {
  const rows = 40_000;
  const lines = Array.from({ length: rows }, (_, i) => `STAR,1,${i},0`);
  const batches = await read(["class,r,g,mjd", ...lines].join("\n"));
  expect(batches.length).toBeGreaterThan(1);
  expect(batches.reduce((sum, batch) => sum + batch.rows, 0)).toBe(rows);
  expect(batches.at(-1)?.columns["g"]?.at(-1)).toBe(rows - 1);
  lines[30_000] = "STAR,1,bright,0";
  await expect(read(["class,r,g,mjd", ...lines].join("\n"))).rejects.toMatchObject({
    code: "catalog_malformed",
    // The header is line 1.
    message: `${file}, line 30002: column "g" is "bright", wanted a float32`,
  });
});

test.each<[string, string, string, string]>([
  ["a file without a column", "class,g,mjd\n", "column_missing", 'has no column "r"; it has class, g, mjd'],
  ["an empty file", "", "column_missing", 'has no column "g"; it has '],
  [
    "a class that the task does not know",
    "class,r,g,mjd\nGALAXY,1,1,1\n",
    "catalog_malformed",
    "line 2: column",
  ],
  [
    "a row without a label",
    "class,r,g,mjd\nQSO,1,1,1\n,1,1,1\n",
    "catalog_malformed",
    'line 3: label column "class"',
  ],
  ["a row with a cell too few", "class,r,g,mjd\nQSO,1,1\n", "catalog_malformed", "line 2: 3 cells, wanted 4"],
])("%s is refused", async (_what, text, code, message) => {
  await expect(read(text)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});

test("a file that is not there, and a folder, are not_found", async () => {
  await expect(labelledBatches(join(folder, "none.csv"), classified).next()).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining("none.csv") as string,
  });
  await expect(labelledBatches(folder, classified).next()).rejects.toMatchObject({ code: "not_found" });
});
