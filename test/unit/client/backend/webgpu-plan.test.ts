import { describe, expect, test } from "vitest";
import { workgroupGrid } from "../../../../client/backend/webgpu/dispatch.ts";
import { padRows, unpadRows } from "../../../../client/backend/webgpu/matrix.ts";
import { Pace } from "../../../../client/backend/webgpu/training/pace.ts";
import {
  packParameters,
  planModel,
  unpackParameters,
} from "../../../../client/backend/webgpu/training/plan.ts";
import {
  encodeSteps,
  partsOf,
  STEP_STRIDE,
  slotsOf,
} from "../../../../client/backend/webgpu/training/schedule.ts";
import { type ModelSpec, parameterCount } from "../../../../protocol/model.ts";

const MIB = 2 ** 20;
const DEFAULT_LIMIT = 128 * MIB; // maxStorageBufferBindingSize that every WebGPU device has

function modelOf(inputs: number, hidden: number[], outputs: number): ModelSpec {
  return { inputs, hidden, outputs, activation: "relu", head: "softmax-cross-entropy" };
}

function counting(length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => i + 1);
}

const LARGEST = modelOf(
  4096,
  Array.from({ length: 8 }, () => 2048),
  2048,
);

describe("a model's plan", () => {
  test.each([modelOf(1, [], 1), modelOf(7, [64, 32], 3), modelOf(5, [9, 1, 17], 4)])(
    "packs the parameters of $inputs-$hidden-$outputs and unpacks the same",
    (model) => {
      for (const maxBindingBytes of [2000, DEFAULT_LIMIT]) {
        const plan = planModel(model, { rows: 100, batchSize: 64, maxBindingBytes });
        const flat = counting(parameterCount(model));
        const groups = packParameters(plan, flat);
        expect(groups.map(({ length }) => length)).toEqual(plan.groups.map((size4) => size4 * 4));
        expect(unpackParameters(plan, groups)).toEqual(flat);
      }
    },
  );

  test("puts a bias after the padded rows of its weights", () => {
    const plan = planModel(modelOf(2, [], 3), { rows: 10, batchSize: 4, maxBindingBytes: DEFAULT_LIMIT });
    const [values] = packParameters(plan, counting(9));
    const rows = Array.from({ length: 5 }, (_, r) => values?.subarray(4 * r, 4 * r + 4).join(" "));
    expect(rows).toEqual(["1 2 3 0", "4 5 6 0", "0 0 0 0", "0 0 0 0", "7 8 9 0"]);
  });

  test("keeps the largest model's buffers within the limits of every device", () => {
    const plan = planModel(LARGEST, { rows: 1e6, batchSize: 65_536, maxBindingBytes: DEFAULT_LIMIT });
    expect(plan.groups.length).toBeGreaterThan(1);
    for (const size4 of plan.groups) expect(size4 * 16 * plan.slices).toBeLessThanOrEqual(DEFAULT_LIMIT);
    expect(plan.partRows * 4096 * 4).toBeLessThanOrEqual(DEFAULT_LIMIT);
    expect(plan.partRows % 8).toBe(0);
  });

  test.each([
    { maxRowsAtOnce: 100, partRows: 96 },
    { maxRowsAtOnce: 1, partRows: 8 },
    { maxPartFlop: 6 * 16 * 16 * 64, partRows: 64 },
    { maxPartFlop: 1, partRows: 8 },
    { partRows: 1000 },
  ])("holds $partRows rows at once within $maxRowsAtOnce rows and $maxPartFlop operations", (limits) => {
    const { partRows, ...given } = limits;
    const device = { rows: 1000, batchSize: 500, maxBindingBytes: DEFAULT_LIMIT };
    expect(planModel(modelOf(16, [], 16), { ...device, ...given }).partRows).toBe(partRows);
  });

  test("cuts parts to the rows and the arithmetic that are allowed, in whole tiles", () => {
    const limits = { rows: 1e5, batchSize: 4096, maxBindingBytes: DEFAULT_LIMIT };
    const model = modelOf(16, [256, 256], 4);
    expect(planModel(model, limits).partRows).toBe(4096);
    expect(planModel(model, { ...limits, maxRowsAtOnce: 100 }).partRows).toBe(96);
    expect(planModel(model, { ...limits, maxRowsAtOnce: 1 }).partRows).toBe(8);
    const flopPerRow = 6 * 256 * (16 + 256 + 4);
    expect(planModel(model, { ...limits, maxPartFlop: 41 * flopPerRow }).partRows).toBe(40);
  });

  test("is one group for a model of ordinary size", () => {
    const plan = planModel(modelOf(7, [64, 32], 3), {
      rows: 8000,
      batchSize: 64,
      maxBindingBytes: DEFAULT_LIMIT,
    });
    expect(plan.groups).toEqual([9 * 16 + 65 * 8 + 33]);
  });
});

describe("a schedule", () => {
  test("cuts an order into batches, the last one shorter", () => {
    const parts = partsOf(10, 4, 64);
    expect(parts.map(({ at, rows }) => [at, rows])).toEqual([
      [0, 4],
      [4, 4],
      [8, 2],
    ]);
    expect(parts.every(({ fresh, last, rows, batchRows }) => fresh && last && rows === batchRows)).toBe(true);
  });

  test("cuts a batch that does not fit into parts of one batch", () => {
    expect(partsOf(25, 20, 8)).toEqual([
      { at: 0, rows: 8, batchRows: 20, fresh: true, last: false },
      { at: 8, rows: 8, batchRows: 20, fresh: false, last: false },
      { at: 16, rows: 4, batchRows: 20, fresh: false, last: true },
      { at: 20, rows: 5, batchRows: 5, fresh: true, last: true },
    ]);
  });

  test("pads each part to whole tiles", () => {
    const order = Uint32Array.from({ length: 12 }, (_, i) => 100 + i);
    const { slots, firstSlots } = slotsOf(partsOf(12, 9, 64), order);
    expect(firstSlots).toEqual([0, 16]);
    const padding = (length: number): number[] => Array.from({ length }, () => 0xffffffff);
    expect([...slots.subarray(0, 16)]).toEqual([...order.subarray(0, 9), ...padding(7)]);
    expect([...slots.subarray(16)]).toEqual([...order.subarray(9), ...padding(5)]);
  });

  test("writes a step as its struct reads it", () => {
    const [part] = partsOf(5, 5, 64);
    if (part === undefined) throw new Error("unreachable: five rows are one part");
    const scalars = {
      rate: 0.5,
      beta1: 0.75,
      beta2: 0.875,
      epsilon: 0.125,
      mScale: 4,
      vScale: 8,
      decay: 0.25,
    };
    const dropout = { seed: 77, dropBelow: 2 ** 31, keptScale: 2 };
    const words = encodeSteps([{ part, firstRow: 24, batchRow: 16, taken: 9, scalars, dropout }]);
    expect(words.byteLength).toBe(STEP_STRIDE);
    expect([...words.subarray(0, 4)]).toEqual([24, 5, 8, 1]);
    const numbers = [Math.fround(1 / 5), 0.5, 0.75, 0.25, 0.875, 0.125, 0.125, 4, 8, 0.25];
    expect([...new Float32Array(words.buffer, 16, 10)]).toEqual(numbers);
    expect([...words.subarray(14, 18)]).toEqual([16, 9, 77, 2 ** 31]);
    expect([...new Float32Array(words.buffer, 72, 1)]).toEqual([2]);
  });
});

test("a grid has room for every invocation and at most 65,535 workgroups a side", () => {
  for (const invocations of [1, 16, 17, 65_535 * 16, 65_535 * 16 + 1, 2 ** 26]) {
    const [x, y] = workgroupGrid(invocations, 16);
    expect(Math.max(x, y)).toBeLessThanOrEqual(65_535);
    expect(x * y * 16).toBeGreaterThanOrEqual(invocations);
  }
});

test("submits grow to 40 ms of what the device turns out to do, and never below one unit", () => {
  const pace = new Pace();
  const work = 1e6;
  expect(pace.units(work)).toBe(40);
  for (let i = 0; i < 20; i++) pace.learn(100 * work, 10);
  expect(pace.units(work)).toBeGreaterThan(390);
  for (let i = 0; i < 30; i++) pace.learn(work, 1000);
  expect(pace.units(work)).toBe(1);
});

test.each([1, 3, 4, 5])("rows of %i words are padded with zeros and unpadded", (cols) => {
  const words = Uint32Array.from({ length: 3 * cols }, (_, i) => 0xffffff00 + i);
  const padded = padRows(words, 3, cols);
  expect(padded.length).toBe(3 * Math.ceil(cols / 4) * 4);
  expect(padded[cols]).toBe(cols % 4 === 0 ? words[cols] : 0);
  expect(unpadRows(padded, 3, cols)).toEqual(words);
});
