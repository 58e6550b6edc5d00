import { describe, expect, test } from "vitest";
import type { ShardTable } from "../../../../client/data/shard-table.ts";
import { featureColumns, labelTargets } from "../../../../client/data/training-columns.ts";

/** A shard of made-up columns; it counts what is asked of it. */
function shard(columns: Readonly<Record<string, readonly number[]>>) {
  const asked: string[] = [];
  const stored = new Map(Object.entries(columns).map(([name, values]) => [name, Float32Array.from(values)]));
  const rows = Object.values(columns)[0]?.length ?? 0;
  const column = (name: string): Float32Array<ArrayBuffer> => {
    asked.push(name);
    return stored.get(name) ?? new Float32Array(rows);
  };
  const table: ShardTable = {
    rows,
    numbers: column,
    classIndices: (name, classes) => Uint32Array.from(column(name), (value) => value % classes.length),
  };
  return { table, asked };
}

describe("feature columns", () => {
  const features = [
    { name: "g", plus: "g", minus: null },
    { name: "u-g", plus: "u", minus: "g" },
    { name: "g-r", plus: "g", minus: "r" },
  ];

  test("are each needed column once, with features as indices into them", () => {
    const { table, asked } = shard({ u: [1], g: [2], r: [3] });
    const { columns, terms } = featureColumns([table], features);
    expect(asked).toEqual(["g", "u", "r"]);
    expect(columns.map((column) => [...column])).toEqual([[2], [1], [3]]);
    expect(terms).toEqual([
      { plus: 0, minus: null },
      { plus: 1, minus: 0 },
      { plus: 0, minus: 2 },
    ]);
  });

  test("of one shard are its own, not a copy", () => {
    const { table } = shard({ g: [1, 2] });
    const [column] = featureColumns([table], features.slice(0, 1)).columns;
    expect(column).toBe(table.numbers("g"));
  });

  test("of several shards are their rows in order, with NaN where a value is missing", () => {
    const tables = [{ g: [1, 2] }, { g: [Number.NaN] }, { g: [4, 5, 6] }].map((c) => shard(c).table);
    const [column] = featureColumns(tables, features.slice(0, 1)).columns;
    expect([...(column ?? [])]).toEqual([1, 2, Number.NaN, 4, 5, 6]);
  });
});

describe("label targets", () => {
  test("are class indices of all shards in order", () => {
    const tables = [shard({ class: [2, 0] }).table, shard({ class: [1] }).table];
    const label = { kind: "class", column: "class", classes: ["STAR", "GALAXY", "QSO"] } as const;
    expect(labelTargets(tables, { ...label, classes: [...label.classes] })).toEqual({
      kind: "class",
      classes: Uint32Array.of(2, 0, 1),
    });
  });

  test("are values of all shards in order", () => {
    const tables = [shard({ Z: [0.5] }).table, shard({ Z: [0.25, 0.75] }).table];
    expect(labelTargets(tables, { kind: "value", column: "Z", unit: null })).toEqual({
      kind: "value",
      values: Float32Array.of(0.5, 0.25, 0.75),
    });
  });

  test("are refused as shard_corrupt when a row has no value, because its loss would be NaN", () => {
    const { table } = shard({ Z: [0.5, Number.NaN] });
    expect(() => labelTargets([table], { kind: "value", column: "Z", unit: null })).toThrow(
      expect.objectContaining({ code: "shard_corrupt", message: 'row 1 has no value of label "Z"' }),
    );
  });
});
