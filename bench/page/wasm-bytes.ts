// The least of WebAssembly's binary format that loops over vectors need.
// Source: https://webassembly.github.io/spec/core/binary/

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const VECTOR = 0xfd;
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const BOTTOMLESS = 0x40; // a block without a result

/** An unsigned LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** A signed LEB128 of a number that is not negative. */
function signed(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  return [id, ...sized([...unsigned(entries.length), ...entries.flat()])];
}

/** Instructions as bytes. */
export const op = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  tee: (local: number) => [0x22, ...unsigned(local)],
  i32: (value: number) => [0x41, ...signed(value)],
  add: [0x6a],
  subtract: [0x6b],
  /** Repeats `body` while it leaves a value other than 0. */
  loop: (body: readonly number[]) => [0x03, BOTTOMLESS, ...body, 0x0d, 0, 0x0b],
  f32: (value: number) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  load: (offset: number) => [VECTOR, 0x00, 4, ...unsigned(offset)],
  store: (offset: number) => [VECTOR, 0x0b, 4, ...unsigned(offset)],
  splat: [VECTOR, 0x13],
  firstLane: [VECTOR, 0x1f, 0],
  vectorAdd: [VECTOR, 0xe4, 0x01],
  vectorMultiply: [VECTOR, 0xe6, 0x01],
  /** `a b c -> a * b + c`, rounded once where the processor can. */
  relaxedMultiplyAdd: [VECTOR, 0x85, 0x02],
} as const;

/** A function `(i32, i32) -> f32`: its locals 0 and 1 are the parameters, `vectors` more of v128 follow. */
export interface LoopFunction {
  readonly vectors: number;
  readonly body: readonly number[];
}

/** A module with a memory, exported as `memory`, and functions by name. @param pages of 64 KiB */
export function moduleBytes(
  functions: Readonly<Record<string, LoopFunction>>,
  pages: number,
): Uint8Array<ArrayBuffer> {
  const named = (name: string, kind: number, index: number): number[] => [
    ...sized([...new TextEncoder().encode(name)]),
    kind,
    index,
  ];
  const all = Object.entries(functions);
  return Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [[0x60, 2, I32, I32, 1, F32]]),
    ...section(
      3,
      all.map(() => [0]),
    ),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [named("memory", 2, 0), ...all.map(([name], index) => named(name, 0, index))]),
    ...section(
      10,
      all.map(([, { vectors, body }]) => sized([1, ...unsigned(vectors), V128, ...body, 0x0b])),
    ),
  ]);
}
