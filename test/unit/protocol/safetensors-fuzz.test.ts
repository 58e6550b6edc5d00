import { expect, test } from "vitest";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { randomStream } from "../../../protocol/random.ts";
import { decodeSafeTensors, encodeSafeTensors } from "../../../protocol/safetensors.ts";

const MUTATIONS = 4000;
const ORIGINAL = encodeSafeTensors({
  tensors: new Map([
    ["layers.0.weight", { dtype: "F32", shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["layers.0.bias", { dtype: "F32", shape: [2], values: Float32Array.of(7, 8) }],
    ["statistics.mean", { dtype: "F64", shape: [2], values: Float64Array.of(9, 10) }],
  ]),
  metadata: { task: "sdss-class", round: "7" },
});
const HEADER_END = 8 + Number(new DataView(ORIGINAL.buffer).getBigUint64(0, true));
const TOKENS = ["0", "-1", "1e400", "9007199254740993", "null", "[]", "{}", '"', "F64", "\\u0000", ",", "]"];

type Next = () => number;

function below(next: Next, limit: number): number {
  return next() % limit;
}

/** One way of damaging a file; each keeps the rest intact. */
const MUTATORS: readonly ((bytes: Uint8Array, next: Next) => Uint8Array)[] = [
  function flipBit(bytes, next) {
    const at = below(next, bytes.length);
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << below(next, 8)));
  },
  function setHeaderByte(bytes, next) {
    return bytes.with(below(next, Math.min(HEADER_END, bytes.length)), below(next, 256));
  },
  function changeDigit(bytes, next) {
    const digits = [...bytes.keys()].filter(
      (i) => i < HEADER_END && (bytes[i] ?? 0) >= 48 && (bytes[i] ?? 0) <= 57,
    );
    return bytes.with(digits[below(next, digits.length)] ?? 0, 48 + below(next, 10));
  },
  function changeLength(bytes, next) {
    return bytes.with(below(next, 8), below(next, 256));
  },
  function cut(bytes, next) {
    return bytes.slice(0, below(next, bytes.length));
  },
  function remove(bytes, next) {
    const at = below(next, bytes.length);
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + below(next, 16)));
  },
  function repeat(bytes, next) {
    const at = below(next, bytes.length);
    return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(next, 64))));
  },
  function insertToken(bytes, next) {
    const token = new TextEncoder().encode(TOKENS[below(next, TOKENS.length)]);
    const at = 8 + below(next, HEADER_END - 8);
    // Over the padding where it fits, so that the header still ends where it did.
    return joined(bytes.subarray(0, at), token, bytes.subarray(at + token.length));
  },
];

function joined(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function mutated(next: Next): Uint8Array {
  let bytes: Uint8Array = ORIGINAL;
  const times = 1 + below(next, 3);
  for (let i = 0; i < times && bytes.length > 8; i++) {
    bytes = MUTATORS[below(next, MUTATORS.length)]?.(bytes, next) ?? bytes;
  }
  return bytes;
}

/** `bytes` between guard bytes that no decoded value may show. */
function guarded(bytes: Uint8Array): Uint8Array {
  return joined(new Uint8Array(64).fill(0xaa), bytes, new Uint8Array(64).fill(0xaa)).subarray(
    64,
    64 + bytes.length,
  );
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** How a decode ended; anything but a sound file or the one error is named. */
function outcome(bytes: Uint8Array): string {
  try {
    const { tensors } = decodeSafeTensors(bytes);
    const all = [...tensors.values()];
    if (all.some(({ shape, values }) => values.length !== sizeOf(shape))) return "values against the shape";
    const data = joined(...all.map(({ values }) => new Uint8Array(values.buffer)));
    const dataAt = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    // Tensors come in the order of their offsets: together they are the data, no byte less or more.
    return data.join() === bytes.slice(dataAt).join() ? "decoded" : "other data";
  } catch (error) {
    return error instanceof AstroScaleError ? error.code : String(error);
  }
}

test(`${MUTATIONS} damaged files each decode soundly or are malformed_safetensors, and never read past their end`, () => {
  const next = randomStream(20_260_101, 0);
  const outcomes = new Map<string, number>();
  let slowestMs = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = mutated(next);
    const started = performance.now();
    const found = outcome(guarded(bytes));
    slowestMs = Math.max(slowestMs, performance.now() - started);
    outcomes.set(found, (outcomes.get(found) ?? 0) + 1);
  }
  expect([...outcomes.keys()].toSorted()).toEqual(["decoded", "malformed_safetensors"]);
  // Both ends of the decoder were reached.
  expect(Math.min(...outcomes.values())).toBeGreaterThan(MUTATIONS / 50);
  expect(slowestMs).toBeLessThan(500);
});
