import { type FileHandle, open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Catalog } from "../../../protocol/catalogs.ts";
import { AstroScaleError } from "../../../protocol/errors.ts";
import type { Feature } from "../../../protocol/preprocessing.ts";
import type { Label } from "../../../protocol/tasks.ts";
import type { CatalogTable, TableColumn } from "../../catalogs/catalog-table.ts";
import { readSurveyLines, type SurveyCsvLayout } from "../../catalogs/survey-csv.ts";

/** Some rows of a labelled file. */
export interface LabelledBatch {
  readonly rows: number;
  /** Every column that a feature names, `[rows]`; NaN where missing. */
  readonly columns: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  /** `[rows]`: class indices into `label.classes`, or values. */
  readonly targets: Float64Array<ArrayBuffer>;
}

/** What is read from a file. */
export interface LabelledRows {
  readonly features: readonly Feature[];
  readonly label: Label;
  /** As the survey publishes them: types, and what means "missing". */
  readonly columns: Catalog["columns"];
}

/** Some megabytes of text and columns; the file may be of any length. */
const BATCH_ROWS = 16_384;
const SHOWN_COLUMNS = 40;

/**
 * The rows of a csv file whose first line names its columns, in batches. Cells are separated by commas and never quoted;
 * columns that the task does not need are passed over.
 *
 * @throws {AstroScaleError} `not_found` when the file cannot be read; `column_missing` when it lacks a column;
 * `catalog_malformed`, with file, line and column, when a row cannot be read or has no label
 */
export async function* labelledBatches(file: string, wanted: LabelledRows): AsyncGenerator<LabelledBatch> {
  const lines = linesOf(file);
  const { value: header = "" } = await lines.next();
  const layout = layoutOf(file, header.replace(/^\uFEFF/, ""), wanted);
  // The header is line 1.
  let first = 2;
  let batch: string[] = [];
  const read = (): LabelledBatch => {
    const at = { file, line: first };
    const rows = labelled(readSurveyLines(batch, layout, at), wanted, at);
    first += batch.length;
    batch = [];
    return rows;
  };
  for await (const line of lines) {
    batch.push(line);
    if (batch.length === BATCH_ROWS) yield read();
  }
  if (batch.length > 0) yield read();
}

async function* linesOf(file: string): AsyncGenerator<string, undefined> {
  const input = await openFile(file);
  try {
    yield* createInterface({
      input: input.createReadStream({ encoding: "utf8", autoClose: false }),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
  } finally {
    await input.close();
  }
}

// readline does not hand on what its stream cannot open.
async function openFile(file: string): Promise<FileHandle> {
  try {
    const input = await open(file);
    if ((await input.stat()).isFile()) return input;
    await input.close();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AstroScaleError("not_found", `cannot read ${file}: ${why}`, { cause });
  }
  throw new AstroScaleError("not_found", `${file} is no file`);
}

function layoutOf(file: string, header: string, { features, label, columns }: LabelledRows): SurveyCsvLayout {
  const names = header.split(",");
  const needed = new Set(features.flatMap(({ plus, minus }) => (minus === null ? [plus] : [plus, minus])));
  return {
    header,
    cells: names.length,
    columns: [...needed, label.column].map((name) => {
      const cell = names.indexOf(name);
      const column = columns.find((each) => each.name === name);
      if (cell < 0 || column === undefined) throw missing(file, name, names);
      const categories = name === label.column && label.kind === "class" ? label.classes : [];
      return { column, cell, categories };
    }),
  };
}

function missing(file: string, name: string, names: readonly string[]): AstroScaleError {
  const shown = names.slice(0, SHOWN_COLUMNS).join(", ");
  const rest = names.length > SHOWN_COLUMNS ? ` and ${names.length - SHOWN_COLUMNS} more` : "";
  return new AstroScaleError("column_missing", `${file} has no column "${name}"; it has ${shown}${rest}`);
}

function labelled(
  { rows, columns }: CatalogTable,
  { label }: LabelledRows,
  { file, line }: { readonly file: string; readonly line: number },
): LabelledBatch {
  const labels = columns.at(-1);
  if (labels === undefined) throw new Error("unreachable: the label's column comes last");
  const unlabelled = labels.missing.indexOf(1);
  if (unlabelled >= 0) {
    const message = `${file}, line ${line + unlabelled}: label column "${label.column}" has no value`;
    throw new AstroScaleError("catalog_malformed", message);
  }
  const numbers = columns.slice(0, -1).map((each) => [each.column.name, numbersOf(each)] as const);
  return { rows, columns: Object.fromEntries(numbers), targets: Float64Array.from(labels.values) };
}

/** Values as a node has them: float32, NaN where missing. */
function numbersOf({ values, missing: absent }: TableColumn): Float32Array<ArrayBuffer> {
  if (values instanceof Float32Array) return values;
  return Float32Array.from(values, (value, row) => (absent[row] === 1 ? Number.NaN : value));
}
