import { describe, expect, test } from "vitest";
import {
  decodeSafeTensors,
  encodeSafeTensors,
  type SafeTensor,
  type SafeTensorsFile,
} from "../../../protocol/safetensors.ts";

const MIB = 1024 * 1024;

/** A file from its header's text and its data, with the length field of a well-formed one. */
function fileOf(header: string | Uint8Array, data = 0, headerLength?: bigint): Uint8Array<ArrayBuffer> {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function entry(dtype: string, shape: readonly number[], start: number, end: number) {
  return { dtype, shape, data_offsets: [start, end] };
}

const f32 = (shape: readonly number[], ...values: number[]): SafeTensor => ({
  dtype: "F32",
  shape,
  values: Float32Array.from(values),
});
const f64 = (shape: readonly number[], ...values: number[]): SafeTensor => ({
  dtype: "F64",
  shape,
  values: Float64Array.from(values),
});

describe("a safetensors file", () => {
  const files: [string, SafeTensorsFile][] = [
    ["nothing", { tensors: new Map(), metadata: {} }],
    ["a scalar", { tensors: new Map([["x", f32([], 1.5)]]), metadata: {} }],
    [
      "both types, with NaN, infinities and negative zero",
      {
        tensors: new Map([
          ["a", f32([2, 2], Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-45)],
          ["b", f64([3], Number.NEGATIVE_INFINITY, 5e-324, Math.PI)],
        ]),
        metadata: { task: "sdss-class", note: 'quotes " and ünïcode 🌕 and \n' },
      },
    ],
    [
      "empty tensors between others",
      {
        tensors: new Map([
          ["e", f32([0, 4])],
          ["a", f32([1], 7)],
          ["z", f64([0])],
        ]),
        metadata: {},
      },
    ],
  ];

  test.each(files)("with %s is read as it was written", (_what, file) => {
    expect(decodeSafeTensors(encodeSafeTensors(file))).toEqual(file);
  });

  test("is laid out as the format says", () => {
    const bytes = encodeSafeTensors({ tensors: new Map([["x", f32([1], 1)]]), metadata: { k: "v" } });
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect((8 + headerBytes) % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)))).toEqual({
      __metadata__: { k: "v" },
      x: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    });
    expect([...bytes.subarray(8 + headerBytes)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  test("gives copies, so that its bytes may be reused", () => {
    const bytes = encodeSafeTensors({ tensors: new Map([["x", f32([1], 1)]]), metadata: {} });
    const { tensors } = decodeSafeTensors(bytes);
    bytes.fill(0);
    expect(tensors.get("x")?.values[0]).toBe(1);
  });

  test("may start anywhere in a larger buffer", () => {
    const bytes = encodeSafeTensors({ tensors: new Map([["x", f64([2], 1, 2)]]), metadata: {} });
    const larger = new Uint8Array(bytes.length + 8).fill(0xaa);
    larger.set(bytes, 3);
    expect(decodeSafeTensors(larger.subarray(3, 3 + bytes.length))).toEqual(decodeSafeTensors(bytes));
  });

  test("of another writer may lack metadata, padding and the order of offsets", () => {
    const header = JSON.stringify({ b: entry("F32", [1], 8, 12), a: entry("F64", [1], 0, 8) });
    expect([...decodeSafeTensors(fileOf(header, 12)).tensors.keys()]).toEqual(["a", "b"]);
  });

  test("of another writer may list an empty tensor after the one that starts where it does", () => {
    const header = JSON.stringify({ a: entry("F32", [1], 0, 4), empty: entry("F32", [0], 0, 0) });
    expect(decodeSafeTensors(fileOf(header, 4)).tensors.size).toBe(2);
  });
});

describe("malformed_safetensors is thrown for", () => {
  const headerOf = (tensors: object): string => JSON.stringify(tensors);

  test.each<[string, Uint8Array]>([
    ["no bytes", new Uint8Array(0)],
    ["seven bytes", new Uint8Array(7)],
    ["an empty header", fileOf("")],
    ["a header that is no JSON", fileOf("{")],
    ["a header that is a list", fileOf("[]")],
    ["a header that is null", fileOf("null")],
    ["a header that is not UTF-8", fileOf(Uint8Array.of(0x22, 0xff, 0x22))],
    ["a header longer than the file", fileOf("{}", 0, 3n)],
    ["a header of 2^63 bytes", fileOf("{}", 0, 2n ** 63n)],
    ["a header of 2^64 - 1 bytes", fileOf("{}", 0, 2n ** 64n - 1n)],
    ["a header over a mebibyte, though it is there", fileOf(`{${" ".repeat(MIB)}}`)],
    ["metadata that are no strings", fileOf('{"__metadata__":{"round":7}}')],
    ["metadata that would name a prototype", fileOf('{"__metadata__":{"__proto__":"x"}}')],
    ["a tensor that is null", fileOf('{"x":null}')],
    ["a tensor without offsets", fileOf('{"x":{"dtype":"F32","shape":[]}}')],
    ["another dtype", fileOf(headerOf({ x: entry("F16", [2], 0, 4) }), 4)],
    ["an unknown key", fileOf(headerOf({ x: { ...entry("F32", [1], 0, 4), strides: [1] } }), 4)],
    ["a negative extent", fileOf(headerOf({ x: entry("F32", [-1], 0, 4) }), 4)],
    ["two negative extents", fileOf(headerOf({ x: entry("F32", [-1, -1], 0, 4) }), 4)],
    ["a fraction of an extent", fileOf(headerOf({ x: entry("F32", [0.5, 2], 0, 4) }), 4)],
    ["an extent of 1e400", fileOf('{"x":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}', 4)],
    ["nine extents", fileOf(headerOf({ x: entry("F32", [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 4) }), 4)],
    [
      "extents whose product is beyond 2^53",
      fileOf(headerOf({ x: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }), 4),
    ],
    ["offsets that disagree with the shape", fileOf(headerOf({ x: entry("F32", [2], 0, 4) }), 4)],
    ["offsets past the end", fileOf(headerOf({ x: entry("F32", [2], 0, 8) }), 4)],
    ["offsets of terabytes", fileOf(headerOf({ x: entry("F64", [2 ** 40], 0, 2 ** 43) }), 4)],
    ["reversed offsets", fileOf(headerOf({ x: entry("F32", [1], 4, 0) }), 4)],
    ["a gap before the first tensor", fileOf(headerOf({ x: entry("F32", [1], 4, 8) }), 8)],
    [
      "a gap between tensors",
      fileOf(headerOf({ x: entry("F32", [1], 0, 4), y: entry("F32", [1], 8, 12) }), 12),
    ],
    [
      "overlapping tensors",
      fileOf(headerOf({ x: entry("F32", [2], 0, 8), y: entry("F32", [2], 4, 12) }), 12),
    ],
    [
      "two tensors in one place",
      fileOf(headerOf({ x: entry("F32", [1], 0, 4), y: entry("F32", [1], 0, 4) }), 4),
    ],
    [
      "a name twice",
      fileOf(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
    ],
    ["bytes after the last tensor", fileOf(headerOf({ x: entry("F32", [1], 0, 4) }), 5)],
    ["a tensor named __proto__", fileOf('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
  ])("%s", (_what, bytes) => {
    expect(() => decodeSafeTensors(bytes)).toThrow(
      expect.objectContaining({ code: "malformed_safetensors" }),
    );
  });

  test.each<[string, string]>([
    ["brackets a quarter million deep", `{"x":${"[".repeat(250_000)}${"]".repeat(250_000)}}`],
    [
      "a shape of half a million extents",
      `{"x":{"dtype":"F32","shape":[${"1,".repeat(499_999)}1],"data_offsets":[0,4]}}`,
    ],
    ["a name of a megabyte", `{"${"x".repeat(1_000_000)}":1}`],
    ["a hundred thousand tensors", `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":1`).join()}}`],
  ])("a bomb: %s, within a second and with a short message", (_what, header) => {
    expect(header.length).toBeLessThan(MIB);
    const started = performance.now();
    expect(() => decodeSafeTensors(fileOf(header))).toThrow(
      expect.objectContaining({
        code: "malformed_safetensors",
        message: expect.stringMatching(/^[^]{1,400}$/),
      }),
    );
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
