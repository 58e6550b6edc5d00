import type { Contestant } from "./contest.ts";
import { enter } from "./contest.ts";
import { type LoopFunction, moduleBytes, op } from "./wasm-bytes.ts";

/** What this engine's WebAssembly can do on one thread, by loops that do nothing else. */
export type Limit = "relaxed-madd" | "multiply-add" | "read" | "copy" | "scale";

/** Sums that are computed side by side: as many as hide the latency of an addition and fit 16 registers. */
const CHAINS = 12;
const FIRST_VECTOR = 2;
const FACTOR = FIRST_VECTOR + CHAINS;
const TERM = FACTOR + 1;
const UNROLL = 4;
const STEP_BYTES = 128;
const LANES = 4;
/** Far above any cache of one core. */
const BUFFER_BYTES = 32 << 20;
const PAGES = (2 * BUFFER_BYTES) >> 16;
const ROUNDS = 100_000;

/** `count` times over, from 0. */
function repeat(count: number, work: (i: number) => readonly number[]): number[] {
  return Array.from({ length: count }, (_, i) => work(i)).flat();
}

/** `c = c * factor + term` in every chain, again and again; parameter 0 counts down. */
function arithmetic(multiplyAdd: readonly number[]): LoopFunction {
  const constant = (local: number, value: number): number[] => [
    ...op.f32(value),
    ...op.splat,
    ...op.set(local),
  ];
  const chain = (c: number): number[] => [
    ...op.get(FIRST_VECTOR + c),
    ...multiplyAdd,
    ...op.set(FIRST_VECTOR + c),
  ];
  const down = [...op.get(0), ...op.i32(1), ...op.subtract, ...op.tee(0)];
  return {
    vectors: CHAINS + 2,
    body: [
      ...constant(FACTOR, 0.5),
      ...constant(TERM, 1),
      ...op.loop([...repeat(UNROLL, () => repeat(CHAINS, chain)), ...down]),
      ...op.get(FIRST_VECTOR),
      ...repeat(CHAINS - 1, (c) => [...op.get(FIRST_VECTOR + 1 + c), ...op.vectorAdd]),
      ...op.firstLane,
    ],
  };
}

/** Visits the first buffer in steps of 128 bytes: parameter 0 is the address, 1 counts down. */
function sweep(each: (offset: number) => readonly number[]): LoopFunction {
  const steps = repeat(STEP_BYTES / 16, (i) => each(16 * i));
  const next = [...op.get(0), ...op.i32(STEP_BYTES), ...op.add, ...op.set(0)];
  const down = [...op.get(1), ...op.i32(1), ...op.subtract, ...op.tee(1)];
  return {
    vectors: 1,
    body: [...op.loop([...steps, ...next, ...down]), ...op.get(FIRST_VECTOR), ...op.firstLane],
  };
}

const LOOPS: Readonly<Record<Limit, LoopFunction>> = {
  "relaxed-madd": arithmetic([...op.get(FACTOR), ...op.get(TERM), ...op.relaxedMultiplyAdd]),
  "multiply-add": arithmetic([...op.get(FACTOR), ...op.vectorMultiply, ...op.get(TERM), ...op.vectorAdd]),
  read: sweep((offset) => [
    ...op.get(FIRST_VECTOR),
    ...op.get(0),
    ...op.load(offset),
    ...op.vectorAdd,
    ...op.set(FIRST_VECTOR),
  ]),
  copy: sweep((offset) => [
    ...op.get(0),
    ...op.get(0),
    ...op.load(offset),
    ...op.store(BUFFER_BYTES + offset),
  ]),
  scale: sweep((offset) => [
    ...op.get(0),
    ...op.get(0),
    ...op.load(offset),
    ...op.f32(1.5),
    ...op.splat,
    ...op.vectorMultiply,
    ...op.store(BUFFER_BYTES + offset),
  ]),
};

/** Operations (of a multiplication and an addition, two) or bytes (read and written) of doing the loop once. */
export function limitWork(limit: Limit): number {
  if (limit === "read") return BUFFER_BYTES;
  if (limit === "copy" || limit === "scale") return 2 * BUFFER_BYTES;
  return ROUNDS * UNROLL * CHAINS * LANES * 2;
}

/** Every limit as a side, in the order asked for. */
export async function openLimits(limits: readonly Limit[]): Promise<void> {
  const functions = Object.fromEntries(limits.map((limit) => [limit, LOOPS[limit]]));
  const { instance } = await WebAssembly.instantiate(moduleBytes(functions, PAGES));
  const { memory, ...loops } = instance.exports as { memory: WebAssembly.Memory } & Record<
    string,
    WebAssembly.ExportValue
  >;
  new Float32Array(memory.buffer).fill(1);
  enter(limits.map((limit) => contestant(limit, loops[limit] as (a: number, b: number) => number)));
}

function contestant(limit: Limit, loop: (a: number, b: number) => number): Contestant {
  const isArithmetic = limit === "relaxed-madd" || limit === "multiply-add";
  const steps = BUFFER_BYTES / STEP_BYTES;
  return {
    once: async () => (isArithmetic ? loop(ROUNDS, 0) : loop(0, steps)),
    dispose() {},
  };
}
