import {
  type Data,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int32,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { type CatalogTable, columnStorage, type TableColumn } from "./catalog-table.ts";

/**
 * Some rows of a table as an Arrow IPC stream of one record batch. Fields have the columns' names; unit, UCD and
 * description are field metadata. A `category` is `Dictionary<Utf8, Int32>` over all the column's categories.
 * The same rows give the same bytes.
 *
 * Source: https://arrow.apache.org/docs/format/Columnar.html, "IPC Streaming Format".
 */
export function encodeShard(table: CatalogTable, rows: readonly number[]): Uint8Array<ArrayBuffer> {
  const children = table.columns.map((column, c) => arrowColumn(column, rows, c));
  const fields = table.columns.map((column, c) => arrowField(column, children[c]));
  const schema = new Schema(fields);
  const batch = new RecordBatch(
    schema,
    makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children }),
  );
  // Copied out, because the writer's buffer is larger than the stream.
  return new Uint8Array(tableToIPC(new Table(schema, [batch]), "stream"));
}

function arrowField({ column, missingCount }: TableColumn, data: Data | undefined): Field {
  const metadata = new Map([["description", column.description]]);
  if (column.unit !== null) metadata.set("unit", column.unit);
  if (column.ucd !== null) metadata.set("ucd", column.ucd);
  return new Field(column.name, data?.type ?? new Null(), missingCount > 0, metadata);
}

function arrowColumn(column: TableColumn, rows: readonly number[], index: number): Data {
  const data = columnStorage(column.column.type, rows.length);
  const validity = new Uint8Array(Math.ceil(rows.length / 8));
  let nullCount = 0;
  rows.forEach((row, r) => {
    data[r] = column.values[row] ?? 0;
    if (column.missing[row] === 1) nullCount += 1;
    else validity[r >> 3] = (validity[r >> 3] ?? 0) | (1 << (r & 7));
  });
  const properties = { length: rows.length, nullCount, nullBitmap: nullCount > 0 ? validity : null, data };
  const { type } = column.column;
  if (type === "float32") return makeData({ ...properties, type: new Float32() });
  if (type === "float64") return makeData({ ...properties, type: new Float64() });
  if (type === "int32") return makeData({ ...properties, type: new Int32() });
  // Without an id, arrow numbers dictionaries by a global counter and the bytes would differ at every call.
  const dictionary = new Dictionary(new Utf8(), new Int32(), index);
  return makeData({
    ...properties,
    type: dictionary,
    dictionary: vectorFromArray(column.categories, dictionary.dictionary),
  });
}
