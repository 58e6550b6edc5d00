import type { CatalogTable, TableColumn } from "../../coordinator/catalogs/catalog-table.ts";
import { randomStream } from "../../protocol/random.ts";
import type { Label } from "../../protocol/tasks.ts";

const STREAM = 2001; // apart from the product's own streams
const CLASSES = ["GALAXY", "QSO", "STAR"];

/** What is predicted of a made-up survey. */
export const SURVEY_LABEL: Label = { kind: "class", column: "class", classes: CLASSES };
/** Magnitudes lie between these two. */
export const BRIGHTEST = 14;
export const FAINTEST = 22;

/** A column of magnitudes for each of `bands`, a share of them missing, and a class. */
export function survey(rows: number, bands: readonly string[], missingShare: number): CatalogTable {
  const next = randomStream(1, STREAM);
  const fraction = (): number => next() / 2 ** 32;
  const describe = (name: string, type: "float32" | "category"): TableColumn["column"] => {
    return { name, type, unit: null, ucd: null, description: name, sentinels: [] };
  };
  const magnitudes = bands.map((name): TableColumn => {
    const missing = Uint8Array.from({ length: rows }, () => (fraction() < missingShare ? 1 : 0));
    const values = Float32Array.from({ length: rows }, (_, r) =>
      missing[r] === 1 ? Number.NaN : BRIGHTEST + (FAINTEST - BRIGHTEST) * fraction(),
    );
    const missingCount = missing.reduce((sum, flag) => sum + flag, 0);
    return { column: describe(name, "float32"), values, missing, missingCount, categories: [] };
  });
  const label: TableColumn = {
    column: describe("class", "category"),
    values: Int32Array.from({ length: rows }, () => next() % CLASSES.length),
    missing: new Uint8Array(rows),
    missingCount: 0,
    categories: CLASSES,
  };
  return { rows, columns: [...magnitudes, label] };
}
