import { describe, expect, test } from "vitest";
import { readSurveyCsv, type SurveyCsvLayout } from "../../../../coordinator/catalogs/survey-csv.ts";
import type { CatalogColumn } from "../../../../protocol/catalogs.ts";

function column(name: string, type: CatalogColumn["type"], sentinels: number[] = []): CatalogColumn {
  return { name, type, unit: null, ucd: null, description: "", sentinels };
}

const LAYOUT: SurveyCsvLayout = {
  header: "id,ra,g,plate,class",
  cells: 5,
  columns: [
    { column: column("g", "float32", [-9999]), cell: 2, categories: [] },
    { column: column("ra", "float64"), cell: 1, categories: [] },
    { column: column("plate", "int32"), cell: 3, categories: [] },
    { column: column("class", "category"), cell: 4, categories: ["GALAXY", "STAR"] },
  ],
};

function read(...texts: string[]) {
  return readSurveyCsv(
    texts.map((text, f) => ({ name: `part-${f}.csv`, text })),
    LAYOUT,
  );
}

function rows(...lines: string[]): string {
  return [LAYOUT.header, ...lines, ""].join("\n");
}

describe("a survey's csv file", () => {
  test("gives the wanted columns in the layout's order, rounded as their types say", () => {
    const table = read(rows("1,183.5313257,17.1,301,STAR", "2,-0.25,1e1,-7,GALAXY"));
    expect(table.rows).toBe(2);
    expect(table.columns.map((c) => [...c.values])).toEqual([
      [Math.fround(17.1), 10],
      [183.5313257, -0.25],
      [301, -7],
      [1, 0],
    ]);
    expect(table.columns.map((c) => c.values.constructor)).toEqual([
      Float32Array,
      Float64Array,
      Int32Array,
      Int32Array,
    ]);
    expect(table.columns.every((c) => c.missingCount === 0)).toBe(true);
  });

  test("keeps the order of files and rows", () => {
    const table = read(rows("1,1,1,1,STAR", "2,2,2,2,STAR"), rows("3,3,3,3,STAR"));
    expect([...(table.columns[2]?.values ?? [])]).toEqual([1, 2, 3]);
  });

  test("reads the same with CRLF, and without an end of line after the last row", () => {
    const unix = read(rows("1,1.5,2.5,3,STAR"));
    expect(read(rows("1,1.5,2.5,3,STAR").replaceAll("\n", "\r\n"))).toEqual(unix);
    expect(read(rows("1,1.5,2.5,3,STAR").trimEnd())).toEqual(unix);
  });

  test("has empty cells and sentinels as missing values", () => {
    const table = read(rows("1,1,-9999,3,STAR", "1,,-9999.0,,"));
    expect(table.columns.map((c) => [...c.missing])).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    expect(table.columns.map((c) => c.missingCount)).toEqual([2, 1, 1, 1]);
    expect(table.columns[0]?.values[0]).toBeNaN();
  });

  test.each([
    ["another header", "id,ra,g,plate,klass\n", /part-0\.csv, line 1: header is "id,ra,g,plate,klass"/],
    ["no header", "", /part-0\.csv, line 1: header is ""/],
    ["a missing cell", rows("1,1,1,1,STAR", "1,1,1,STAR"), /part-0\.csv, line 3: 4 cells, wanted 5/],
    ["an extra cell", rows("1,1,1,1,STAR,"), /line 2: 6 cells, wanted 5/],
    ["an empty line inside", rows("", "1,1,1,1,STAR"), /line 2: 1 cells, wanted 5/],
    ["a word for a number", rows("1,1,n/a,1,STAR"), /line 2: column "g" is "n\/a", wanted a float32/],
    ["NaN", rows("1,1,NaN,1,STAR"), /column "g" is "NaN"/],
    ["infinity", rows("1,Infinity,1,1,STAR"), /column "ra" is "Infinity", wanted a float64/],
    ["a number beyond float32", rows("1,1,1e39,1,STAR"), /column "g" is "1e39"/],
    ["hexadecimal", rows("1,1,0x1F,1,STAR"), /column "g" is "0x1F"/],
    ["a blank for a number", rows("1, ,1,1,STAR"), /column "ra" is " "/],
    ["a fraction for an integer", rows("1,1,1,1.5,STAR"), /column "plate" is "1.5", wanted a int32/],
    ["an integer beyond 32 bits", rows("1,1,1,2147483648,STAR"), /column "plate" is "2147483648"/],
    ["an unknown class", rows("1,1,1,1,QSO"), /column "class" is "QSO", wanted one of GALAXY, STAR/],
    ["a quoted class", rows('1,1,1,1,"STAR"'), /column "class" is ""STAR""/],
  ])("is refused as catalog_malformed, with its place, for %s", (_what, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "catalog_malformed" }));
    expect(() => read(text)).toThrow(message);
  });

  test("is named in the error when it is the second of two", () => {
    expect(() => read(rows("1,1,1,1,STAR"), rows("1,1,1,1,star"))).toThrow(
      expect.objectContaining({ details: { file: "part-1.csv", line: 2 } }),
    );
  });
});
