import { type Data, DataType, Precision, type Table, Type, tableFromIPC, type Vector } from "apache-arrow";
import type { Shard } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";

/** The columns of one shard. */
export interface ShardTable {
  readonly rows: number;

  /**
   * A column's values as float32, NaN where missing: `[rows]`. A float32 column without missing values is a
   * view of the shard's bytes; others are converted.
   *
   * @throws {AstroScaleError} `column_missing` when there is no such column of numbers
   */
  numbers(column: string): Float32Array<ArrayBuffer>;

  /**
   * A category column as indices into `classes`: `[rows]`.
   *
   * @throws {AstroScaleError} `column_missing` when there is no such column of categories; `shard_corrupt` when
   * a value is missing or not among `classes`
   */
  classIndices(column: string, classes: readonly string[]): Uint32Array<ArrayBuffer>;
}

/**
 * The table in a shard's Arrow IPC stream. The bytes must stay as they are while views of them are in use.
 *
 * @throws {AstroScaleError} `shard_corrupt` when the bytes are no such stream or hold another number of rows
 */
export function readShardTable(bytes: Uint8Array<ArrayBuffer>, shard: Shard): ShardTable {
  const table = parse(bytes, shard);
  if (table.numRows !== shard.rows) throw corrupt(shard, `${table.numRows} rows, wanted ${shard.rows}`);

  const column = (name: string): Vector => {
    const found = table.getChild(name);
    if (!found) {
      const names = table.schema.fields.map((field) => field.name).join(", ");
      throw new AstroScaleError("column_missing", `no column "${name}"; shard ${shard.id} has ${names}`);
    }
    if (found.length !== shard.rows || found.data.some((data) => data.values.length < data.length)) {
      throw corrupt(shard, `column "${name}" is cut short`);
    }
    return found;
  };

  return {
    rows: shard.rows,
    numbers: (name) => numbersOf(column(name), name),
    classIndices(name, classes) {
      const found = column(name);
      if (!isCategory(found.type)) throw wrongKind(name, found.type, "categories");
      const indices = new Uint32Array(shard.rows);
      let at = 0;
      for (const data of found.data) {
        const classOf = classesOf(data, classes);
        for (let i = 0; i < data.length; i++) {
          const index = data.getValid(i) ? classOf[data.values[i]] : undefined;
          if (index === undefined || index < 0) throw corrupt(shard, unknownClass(name, at + i, classes));
          indices[at + i] = index;
        }
        at += data.length;
      }
      return indices;
    },
  };
}

function parse(bytes: Uint8Array<ArrayBuffer>, shard: Shard): Table {
  try {
    return tableFromIPC(bytes);
  } catch (cause) {
    throw corrupt(shard, "not an Arrow IPC stream", cause);
  }
}

function corrupt({ catalog, id }: Shard, message: string, cause?: unknown): AstroScaleError {
  return new AstroScaleError("shard_corrupt", `shard ${id} of ${catalog}: ${message}`, { cause });
}

function wrongKind(name: string, type: DataType, wanted: string): AstroScaleError {
  return new AstroScaleError("column_missing", `column "${name}" is ${Type[type.typeId]}, wanted ${wanted}`);
}

function unknownClass(name: string, row: number, classes: readonly string[]): string {
  return `row ${row} of column "${name}" is none of ${classes.join(", ")}`;
}

// 64-bit integers are identifiers: float32 would merge different ones.
function isNumeric(type: DataType): boolean {
  return (
    (DataType.isFloat(type) && type.precision !== Precision.HALF) ||
    (DataType.isInt(type) && type.bitWidth <= 32)
  );
}

function isCategory(type: DataType): boolean {
  return DataType.isDictionary(type) && DataType.isUtf8(type.dictionary);
}

function numbersOf(vector: Vector, name: string): Float32Array<ArrayBuffer> {
  if (!isNumeric(vector.type)) throw wrongKind(name, vector.type, "numbers");
  const [first] = vector.data;
  if (vector.data.length === 1 && first?.nullCount === 0 && first.values instanceof Float32Array) {
    return first.values.subarray(0, first.length) as Float32Array<ArrayBuffer>;
  }
  const numbers = new Float32Array(vector.length);
  let at = 0;
  for (const data of vector.data) {
    numbers.set(data.values.subarray(0, data.length), at);
    if (data.nullCount > 0) {
      for (let i = 0; i < data.length; i++) if (!data.getValid(i)) numbers[at + i] = Number.NaN;
    }
    at += data.length;
  }
  return numbers;
}

/** For every entry of the dictionary, its index in `classes`, or -1. */
function classesOf({ dictionary }: Data, classes: readonly string[]): number[] {
  return Array.from(dictionary ?? [], (name: unknown) => classes.findIndex((known) => known === name));
}
