import type { CatalogColumn } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { type CatalogTable, columnStorage, type TableColumn } from "./catalog-table.ts";

/** A column to read, and where it stands in a row. */
export interface SurveyCsvColumn {
  readonly column: CatalogColumn;
  /** 0-based cell of the row. */
  readonly cell: number;
  /** Every value a `category` cell may have; empty for other types. */
  readonly categories: readonly string[];
}

/** What a survey's files look like. Cells are separated by commas and never quoted. */
export interface SurveyCsvLayout {
  /** The first line, exactly. */
  readonly header: string;
  /** Cells in every row. */
  readonly cells: number;
  readonly columns: readonly SurveyCsvColumn[];
}

/** A file's name, for messages, and its text. */
export interface SurveyCsvFile {
  readonly name: string;
  readonly text: string;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INT32_LIMIT = 2 ** 31;

/**
 * The rows of some files of one layout, in the files' order. An empty cell and a column's sentinels are
 * missing. Lines end in LF or CRLF; the last may lack it.
 *
 * @throws {AstroScaleError} `catalog_malformed`, with file, line and column, when a header differs, a row has
 * another number of cells, or a cell is no value of its column's type
 */
export function readSurveyCsv(files: readonly SurveyCsvFile[], layout: SurveyCsvLayout): CatalogTable {
  const lines = files.map((file) => dataLines(file, layout.header));
  const rows = lines.reduce((sum, { length }) => sum + length, 0);
  const builder = tableBuilder(layout, rows);
  // The header is line 1.
  files.forEach(({ name }, f) => builder.add(lines[f] ?? [], { file: name, line: 2 }));
  return builder.table();
}

/**
 * The rows of some lines of one file, as `readSurveyCsv` reads them.
 *
 * @param first the file, and the number of the first line, from 1
 * @throws {AstroScaleError} `catalog_malformed`, with file, line and column
 */
export function readSurveyLines(
  lines: readonly string[],
  layout: SurveyCsvLayout,
  first: SurveyCsvPlace,
): CatalogTable {
  const builder = tableBuilder(layout, lines.length);
  builder.add(lines, first);
  return builder.table();
}

/** A line of a file, for messages. */
export interface SurveyCsvPlace {
  readonly file: string;
  readonly line: number;
}

interface TableBuilder {
  add(lines: readonly string[], first: SurveyCsvPlace): void;
  table(): CatalogTable;
}

function tableBuilder(layout: SurveyCsvLayout, rows: number): TableBuilder {
  const columns = layout.columns.map(({ column }) => ({
    values: columnStorage(column.type, rows),
    missing: new Uint8Array(rows),
    missingCount: 0,
  }));

  let row = 0;
  const addLine = (text: string, at: SurveyCsvPlace): void => {
    const cells = splitRow(text, layout.cells, at);
    layout.columns.forEach((wanted, c) => {
      const stored = columns[c];
      if (!stored) return;
      const value = parseCell(cells[wanted.cell] ?? "", wanted, at);
      if (value === null) {
        stored.missing[row] = 1;
        stored.missingCount += 1;
      }
      stored.values[row] = value ?? Number.NaN;
    });
    row += 1;
  };
  return {
    add: (lines, { file, line }) => lines.forEach((text, l) => addLine(text, { file, line: line + l })),
    table: () => ({
      rows,
      columns: columns.map((stored, c): TableColumn => {
        const { column, categories } = layout.columns[c] ?? unreachable();
        return { column, categories, ...stored };
      }),
    }),
  };
}

function malformed({ file, line }: SurveyCsvPlace, message: string): AstroScaleError {
  return new AstroScaleError("catalog_malformed", `${file}, line ${line}: ${message}`, {
    details: { file, line },
  });
}

function unreachable(): never {
  throw new Error("unreachable: one storage a column");
}

function dataLines({ name, text }: SurveyCsvFile, header: string): string[] {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (lines.at(-1) === "") lines.pop();
  const [found = "", ...rest] = lines;
  if (found !== header) {
    throw malformed({ file: name, line: 1 }, `header is "${found.slice(0, 200)}", wanted "${header}"`);
  }
  return rest;
}

function splitRow(line: string, count: number, at: SurveyCsvPlace): string[] {
  const cells = line.split(",");
  if (cells.length !== count) throw malformed(at, `${cells.length} cells, wanted ${count}`);
  return cells;
}

/** The value of a cell, or `null` when it is missing. */
function parseCell(cell: string, { column, categories }: SurveyCsvColumn, at: SurveyCsvPlace): number | null {
  if (cell === "") return null;
  if (column.type === "category") {
    const index = categories.indexOf(cell);
    if (index < 0) {
      throw malformed(at, `column "${column.name}" is "${cell}", wanted one of ${categories.join(", ")}`);
    }
    return index;
  }
  const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
  if (!fits(value, column.type)) {
    throw malformed(at, `column "${column.name}" is "${cell}", wanted a ${column.type}`);
  }
  return column.sentinels.includes(value) ? null : value;
}

function fits(value: number, type: CatalogColumn["type"]): boolean {
  if (type === "int32") return Number.isInteger(value) && value >= -INT32_LIMIT && value < INT32_LIMIT;
  return Number.isFinite(type === "float32" ? Math.fround(value) : value);
}
