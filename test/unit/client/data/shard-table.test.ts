import {
  Dictionary,
  Float32,
  Int8,
  Int32,
  Int64,
  makeVector,
  RecordBatch,
  Schema,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import { readShardTable } from "../../../../client/data/shard-table.ts";
import type { Shard } from "../../../../protocol/catalogs.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { randomStream } from "../../../../protocol/random.ts";

const CLASSES = ["STAR", "GALAXY", "QSO"];

function streamOf(table: Table): Uint8Array<ArrayBuffer> {
  return new Uint8Array(tableToIPC(table, "stream"));
}

function shardOf(bytes: Uint8Array, rows: number): Shard {
  return { catalog: "made-up", id: "rows-0-9", rows, bytes: bytes.length, etag: "0".repeat(64) };
}

function read(table: Table) {
  const bytes = streamOf(table);
  return { bytes, table: readShardTable(bytes, shardOf(bytes, table.numRows)) };
}

const category = (names: readonly (string | null)[]) =>
  vectorFromArray(names, new Dictionary(new Utf8(), new Int32(), 0));

describe("numbers of a column", () => {
  test("are a view of the shard's bytes for float32 without missing values", () => {
    const { bytes, table } = read(new Table({ g: makeVector(Float32Array.of(1.5, -2, 3)) }));
    const numbers = table.numbers("g");
    expect([...numbers]).toEqual([1.5, -2, 3]);
    expect(numbers.buffer).toBe(bytes.buffer);
  });

  test("are NaN where the column is null", () => {
    const { table } = read(new Table({ g: vectorFromArray([1.5, null, 3, null], new Float32()) }));
    expect([...table.numbers("g")]).toEqual([1.5, Number.NaN, 3, Number.NaN]);
  });

  test("are float64 and integer columns rounded to float32", () => {
    const { table } = read(
      new Table({
        ra: makeVector(Float64Array.of(183.5313257, -0.1)),
        plate: vectorFromArray([null, 8410], new Int32()),
        flag: makeVector(Uint8Array.of(0, 255)),
      }),
    );
    expect([...table.numbers("ra")]).toEqual([Math.fround(183.5313257), Math.fround(-0.1)]);
    expect([...table.numbers("plate")]).toEqual([Number.NaN, 8410]);
    expect([...table.numbers("flag")]).toEqual([0, 255]);
  });

  test("run through all record batches of the stream", () => {
    const first = new Table({ g: makeVector(Float32Array.of(1, 2)) });
    const second = new Table({ g: makeVector(Float32Array.of(3)) });
    const { table } = read(first.concat(second));
    expect([...table.numbers("g")]).toEqual([1, 2, 3]);
  });

  test.each([
    ["an absent column", "w1mpro", /no column "w1mpro"; shard rows-0-9 has id, class/],
    ["64-bit identifiers, which float32 would merge", "id", /column "id" is Int, wanted numbers/],
    ["categories", "class", /column "class" is Dictionary, wanted numbers/],
  ])("are refused as column_missing for %s", (_what, name, message) => {
    const { table } = read(
      new Table({ id: vectorFromArray([1n, 2n], new Int64()), class: category(["STAR", "QSO"]) }),
    );
    expect(() => table.numbers(name)).toThrow(expect.objectContaining({ code: "column_missing" }));
    expect(() => table.numbers(name)).toThrow(message);
  });
});

describe("class indices of a column", () => {
  test("are positions among the task's classes, whatever the dictionary's order", () => {
    const { table } = read(new Table({ class: category(["QSO", "STAR", "QSO", "GALAXY"]) }));
    expect([...table.classIndices("class", CLASSES)]).toEqual([2, 0, 2, 1]);
    expect([...table.classIndices("class", CLASSES.toReversed())]).toEqual([0, 2, 0, 1]);
  });

  test("come from dictionaries of any index width", () => {
    const narrow = vectorFromArray(["QSO", "STAR"], new Dictionary(new Utf8(), new Int8(), 0));
    expect([...read(new Table({ class: narrow })).table.classIndices("class", CLASSES)]).toEqual([2, 0]);
  });

  test("run through all record batches of the stream", () => {
    const first = new Table({ class: category(["QSO", "STAR"]) });
    const second = new Table({ class: category(["QSO", "GALAXY"]) });
    expect([...read(first.concat(second)).table.classIndices("class", CLASSES)]).toEqual([2, 0, 2, 1]);
  });

  test("allow a class of the dictionary that no row has", () => {
    const batch = new Table({ class: category(["QSO", "BLAZAR"]) }).batches[0]?.slice(0, 1);
    if (!batch) throw new Error("one batch was made");
    const table = new Table(new Schema(batch.schema.fields), [new RecordBatch(batch.schema, batch.data)]);
    expect([...read(table).table.classIndices("class", CLASSES)]).toEqual([2]);
  });

  test.each([
    ["is not among the task's", ["STAR", "BLAZAR"]],
    ["is missing", ["STAR", null]],
  ])("are refused as shard_corrupt, with the row, when a class %s", (_what, names) => {
    const { table } = read(new Table({ class: category(names) }));
    expect(() => table.classIndices("class", CLASSES)).toThrow(
      expect.objectContaining({
        code: "shard_corrupt",
        message: expect.stringContaining('row 1 of column "class" is none of STAR, GALAXY, QSO'),
      }),
    );
  });

  test("are refused as column_missing for numbers", () => {
    const { table } = read(new Table({ g: makeVector(Float32Array.of(1)) }));
    expect(() => table.classIndices("g", CLASSES)).toThrow('column "g" is Float, wanted categories');
  });
});

function outcomeOf(work: () => void): "read" | "shard_corrupt" | "other" {
  try {
    work();
    return "read";
  } catch (error) {
    return error instanceof AstroScaleError && error.code === "shard_corrupt" ? error.code : "other";
  }
}

describe("damaged shard bytes", () => {
  const bytes = streamOf(
    new Table({ g: vectorFromArray([1, null, 3], new Float32()), class: category(["QSO", "STAR", "QSO"]) }),
  );
  const shard = shardOf(bytes, 3);
  const readAll = (damaged: Uint8Array<ArrayBuffer>): void => {
    const table = readShardTable(damaged, shard);
    table.numbers("g");
    table.classIndices("class", CLASSES);
  };

  test("are refused as shard_corrupt at whatever byte they were cut", () => {
    readAll(bytes);
    // The stream's last 8 bytes only say that nothing follows.
    for (let end = 0; end < bytes.length - 8; end++) {
      expect(() => readAll(bytes.slice(0, end))).toThrow(expect.objectContaining({ code: "shard_corrupt" }));
    }
  });

  test("are refused as shard_corrupt when they are another format", () => {
    for (const text of ["<!doctype html><title>502</title>", '{"code":"internal"}', "PAR1", "ARROW1\0\0"]) {
      const other = new TextEncoder().encode(text);
      expect(() => readAll(other)).toThrow(expect.objectContaining({ code: "shard_corrupt" }));
    }
  });

  test("are refused as shard_corrupt when they hold another number of rows", () => {
    expect(() => readShardTable(bytes, { ...shard, rows: 4 })).toThrow("3 rows, wanted 4");
  });

  test("are refused as shard_corrupt, or read, when a byte of a record's body changed", () => {
    const next = randomStream(20, 0);
    const outcomes = { read: 0, shard_corrupt: 0, other: 0 };
    for (let trial = 0; trial < 500; trial++) {
      const damaged = bytes.slice();
      // The last record batch's body: g and its validity, then the class indices.
      damaged[damaged.length - 9 - (next() % 40)] = next() & 0xff;
      outcomes[outcomeOf(() => readAll(damaged))] += 1;
    }
    expect(outcomes.other).toBe(0);
    expect(Math.min(outcomes.read, outcomes.shard_corrupt)).toBeGreaterThan(50);
  });
});
