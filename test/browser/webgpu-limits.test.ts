import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { readMatrix, uploadMatrix, type WebgpuMatrix } from "../../client/backend/webgpu/matrix.ts";
import { MOMENTS_CONSTANTS, moments } from "../../client/backend/webgpu/moments.ts";
import { type Kernel, Pipelines } from "../../client/backend/webgpu/pipelines.ts";
import { encodeFeatures, impute, standardise } from "../../client/backend/webgpu/preprocessing.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import type { KernelName } from "../../shaders/index.ts";
import { describeBackend } from "../conformance/backend.ts";
import { firstDifference } from "../oracle/close.ts";

/** The browser's adapters, whose devices have the limits that every WebGPU device has and no more. */
const ofDefaultLimits = {
  async requestAdapter() {
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    const { info } = adapter;
    return { info, limits: {}, requestDevice: () => requestDevice() };
  },
} as unknown as GPU;

describeBackend("webgpu of default limits:", () => createWebgpuBackend({ gpu: ofDefaultLimits }));

test("the largest buffers that an adapter offers are asked for", async () => {
  const offered = (await navigator.gpu.requestAdapter())?.limits;
  const gpu = await openGpu();
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  expect([maxBufferSize, maxStorageBufferBindingSize]).toEqual([
    offered?.maxBufferSize,
    offered?.maxStorageBufferBindingSize,
  ]);
  expect(gpu.maxBindingBytes).toBe(Math.min(maxBufferSize, maxStorageBufferBindingSize));
  gpu.dispose();
});

test("a matrix above the default limit is too_large there, before anything is allocated", async () => {
  const backend = await createWebgpuBackend({ gpu: ofDefaultLimits });
  const create = vi.spyOn(GPUDevice.prototype, "createBuffer");
  const columns = [new Float32Array(2 ** 20)];
  const terms = Array.from({ length: 33 * 4 }, () => ({ plus: 0, minus: null }));
  const most = 2 ** 27; // bytes: maxStorageBufferBindingSize
  expect(() => backend.encodeFeatures(columns, terms)).toThrowError(
    expect.objectContaining({ code: "too_large", message: expect.stringContaining(String(most)) }),
  );
  expect(create.mock.calls.every(([{ size }]) => size <= most)).toBe(true);
  create.mockRestore();
  backend.dispose();
});

describe("a grid of more than 65,535 workgroups wraps into its second dimension:", () => {
  const ROWS = 65_535 + 700; // one vec4 in a row, one invocation in a workgroup
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu?.dispose());

  const ofSingles = (name: KernelName, constants = {}): Promise<Kernel> =>
    new Pipelines(gpu).get(name, { ...constants, WORKGROUP_SIZE: 1 });
  const counting = (length: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, (_, i) => (i % 7 === 0 ? Number.NaN : i));
  const given = async (x: WebgpuMatrix): Promise<Float32Array> => {
    const values = await readMatrix(gpu, x);
    x.dispose();
    return values;
  };

  test("impute", async () => {
    const values = counting(3 * ROWS);
    const x = uploadMatrix(gpu, values, ROWS, 3);
    impute(gpu, await ofSingles("impute"), x, Float32Array.of(-1, -2, -3));
    const wanted = values.map((value, i) => (Number.isNaN(value) ? -1 - (i % 3) : value));
    expect(firstDifference(await given(x), wanted)).toBeNull();
  });

  test("standardise", async () => {
    const values = counting(2 * ROWS);
    const x = uploadMatrix(gpu, values, ROWS, 2);
    const vectors = { mean: Float32Array.of(8, 16), invStd: Float32Array.of(2, 0.5) };
    standardise(gpu, await ofSingles("standardise"), x, vectors);
    // Differences and products of such numbers are exact.
    const wanted = values.map((value, i) => (i % 2 === 0 ? (value - 8) * 2 : (value - 16) * 0.5));
    expect(firstDifference(await given(x), wanted)).toBeNull();
  });

  test("encode-features", async () => {
    const columns = [counting(ROWS), counting(ROWS).fill(5)];
    const terms = [
      { plus: 0, minus: 1 },
      { plus: 0, minus: null },
    ];
    const x = encodeFeatures(gpu, await ofSingles("encode-features"), columns, terms);
    const wanted = Float32Array.from({ length: 2 * ROWS }, (_, i) => {
      const value = columns[0]?.[Math.floor(i / 2)] ?? 0;
      return i % 2 === 0 ? value - 5 : value;
    });
    expect(firstDifference(await given(x), wanted)).toBeNull();
  });

  test("moments", async () => {
    const cols = 4 * ROWS; // of one row: an invocation for every four columns
    const values = counting(cols);
    const x = uploadMatrix(gpu, values, 1, cols);
    const found = await moments(gpu, await ofSingles("moments", MOMENTS_CONSTANTS), x);
    x.dispose();
    const odd = found.findIndex(({ count, missing, mean, min, max, m2 }, c) => {
      if (c % 7 === 0) return count !== 0 || missing !== 1;
      return count !== 1 || missing !== 0 || mean !== c || min !== c || max !== c || m2 !== 0;
    });
    expect(odd).toBe(-1);
  });
});
