import * as z from "zod";
import { AstroScaleError } from "./errors.ts";

/** A named tensor of a safetensors file. Row-major; little-endian on the wire. */
export type SafeTensor =
  | { readonly dtype: "F32"; readonly shape: readonly number[]; readonly values: Float32Array<ArrayBuffer> }
  | { readonly dtype: "F64"; readonly shape: readonly number[]; readonly values: Float64Array<ArrayBuffer> };

/** Tensors by name, and the file's string metadata. */
export interface SafeTensorsFile {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const ITEM_BYTES = { F32: 4, F64: 8 } as const;
const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const MAX_HEADER_BYTES = 1 << 20;
const MAX_MESSAGE_LENGTH = 400;

const HeaderEntry = z.strictObject({
  dtype: z.enum(["F32", "F64"]),
  shape: z.array(z.int().nonnegative()).max(8),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Metadata = z.record(z.string(), z.string());

/**
 * Bytes of a safetensors file: `u64 headerLength, header JSON padded with spaces to 8 bytes, data`.
 * Tensors are laid out in the map's order without gaps.
 *
 * Source: https://github.com/huggingface/safetensors, "Format".
 */
export function encodeSafeTensors(file: SafeTensorsFile): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: file.metadata };
  let dataBytes = 0;
  for (const [name, { dtype, shape, values }] of file.tensors) {
    header[name] = { dtype, shape, data_offsets: [dataBytes, dataBytes + values.byteLength] };
    dataBytes += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const dataAt = LENGTH_BYTES + headerBytes;
  const bytes = new Uint8Array(dataAt + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, dataAt);
  bytes.set(json, LENGTH_BYTES);
  let at = dataAt;
  for (const { values } of file.tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

function malformed(message: string, cause?: unknown): AstroScaleError {
  // A tensor's name is the sender's: up to a megabyte of it would go into logs and answers.
  return new AstroScaleError("malformed_safetensors", message.slice(0, MAX_MESSAGE_LENGTH), { cause });
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataAt: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw malformed(`file has ${bytes.length} bytes, a safetensors file has at least ${LENGTH_BYTES}`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw malformed(`header of ${length} bytes, at most ${MAX_HEADER_BYTES}`);
  const dataAt = LENGTH_BYTES + Number(length);
  if (dataAt > bytes.length) {
    throw malformed(`header ends at byte ${dataAt}, the file has ${bytes.length}: truncated?`);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataAt));
    return { header: z.record(z.string(), z.unknown()).parse(JSON.parse(text)), dataAt };
  } catch (cause) {
    throw malformed("header is not a JSON object", cause);
  }
}

/**
 * Tensors and metadata of a safetensors file; values are copied out, so `bytes` may be reused.
 *
 * @throws {AstroScaleError} `malformed_safetensors` when the header is not the format's, a dtype is neither
 * F32 nor F64, offsets disagree with shapes, or data are missing, overlapping or left over
 */
export function decodeSafeTensors(bytes: Uint8Array): SafeTensorsFile {
  const { header, dataAt } = parseHeader(bytes);
  const { __metadata__: rawMetadata = {}, ...entries } = header;
  const metadata = Metadata.safeParse(rawMetadata);
  // A record drops this name silently.
  if (typeof rawMetadata === "object" && rawMetadata !== null && Object.hasOwn(rawMetadata, "__proto__")) {
    throw malformed('__metadata__ must not name "__proto__"');
  }
  if (!metadata.success) throw malformed("__metadata__ must map strings to strings");

  const parsed = Object.entries(entries).map(([name, raw]) => {
    const entry = HeaderEntry.safeParse(raw);
    if (!entry.success) throw malformed(`tensor "${name}": ${z.prettifyError(entry.error)}`);
    return { name, ...entry.data };
  });
  // By end too, so that an empty tensor comes before the one that starts where it does.
  parsed.sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);

  const tensors = new Map<string, SafeTensor>();
  let at = 0;
  for (const { name, dtype, shape, data_offsets } of parsed) {
    const byteLength = shape.reduce((product, extent) => product * extent, 1) * ITEM_BYTES[dtype];
    const [start, end] = data_offsets;
    if (start !== at || end - start !== byteLength) {
      throw malformed(
        `tensor "${name}" ${dtype} [${shape.join(", ")}] takes bytes ${at} to ${at + byteLength}, ` +
          `its offsets say ${start} to ${end}`,
      );
    }
    if (dataAt + end > bytes.length) {
      throw malformed(`tensor "${name}" ends at byte ${dataAt + end}, the file has ${bytes.length}`);
    }
    const data = bytes.slice(dataAt + start, dataAt + end).buffer;
    tensors.set(
      name,
      dtype === "F32"
        ? { dtype, shape, values: new Float32Array(data) }
        : { dtype, shape, values: new Float64Array(data) },
    );
    at = end;
  }
  if (dataAt + at !== bytes.length) {
    throw malformed(`${bytes.length - dataAt - at} bytes after the last tensor`);
  }
  return { tensors, metadata: metadata.data };
}
