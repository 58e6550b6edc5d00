import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Buffers, type Words } from "../../client/backend/webgpu/buffers.ts";
import { type Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { bind, dispatch } from "../../client/backend/webgpu/dispatch.ts";
import { type Constants, Pipelines } from "../../client/backend/webgpu/pipelines.ts";
import { readBytes } from "../../client/backend/webgpu/readback.ts";
import { planActivation } from "../../client/backend/webgpu/training/network/activation.ts";
import type { Activation } from "../../protocol/model.ts";
import { type Words as PhiloxWords, philox, STREAMS } from "../../protocol/random.ts";
import type { KernelName } from "../../shaders/index.ts";
import philoxWgsl from "../../shaders/lib/philox.wgsl?raw";
import { uniform, wholes } from "../conformance/samples.ts";
import { activate, activationSlope } from "../oracle/activations.ts";
import { firstDifference, firstOutside } from "../oracle/close.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.dispose());

/** A kernel to run by itself; uniforms are words of `Uint32Array`s. */
interface Run {
  readonly name: KernelName;
  readonly constants?: Constants;
  /** In the order of the kernel's bindings. */
  readonly inputs: readonly { readonly storage?: Words; readonly uniform?: Words }[];
  readonly invocations: number;
  readonly stepAt?: number;
}

/** Every storage buffer after one dispatch. */
async function run({ name, constants = {}, inputs, invocations, stepAt }: Run) {
  const kernel = await new Pipelines(gpu).get(name, constants);
  const owner = new Buffers(gpu);
  const bound = inputs.map(({ storage, uniform: words = new Uint32Array(0) }) => {
    if (storage) return owner.filled(name, storage);
    return owner.shape(name, [...new Uint32Array(words.buffer)]);
  });
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const place = stepAt === undefined ? {} : { stepAt };
  dispatch(pass, bind(gpu, kernel, bound), { invocations, ...place });
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  const results: Float32Array<ArrayBuffer>[] = [];
  for (const [i, { storage }] of inputs.entries()) {
    const buffer = bound[i];
    if (storage && buffer) results.push(new Float32Array(await readBytes(gpu, buffer, storage.byteLength)));
  }
  owner.dispose();
  return results;
}

/** `Step` of step.wgsl for whole tiles of `rows`. */
function stepWords(rows: number, dropout: readonly number[] = [0, 0, 0, 0]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(20);
  words.set([0, rows, rows, 1]);
  words.set(dropout, 14);
  new Float32Array(words.buffer).set([2], 18); // kept_scale
  return words;
}

/** `Layer` of layer.wgsl, whose other fields `activate` does not read. */
function layerWords(outputs4: number, index: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.of(0, outputs4, 4 * outputs4, 0, 0, 0, 0, 0, 0, index);
}

describe("philox.wgsl", () => {
  test("gives the words of protocol/random.ts", async () => {
    const edges = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
    const random = wholes(6 * 200, 2 ** 32, 1);
    const cases = Array.from({ length: 264 }, (_case, i) =>
      Array.from({ length: 6 }, (_word, k) => (i < 64 ? edges[(i >> k) % 8] : random[6 * (i - 64) + k]) ?? 0),
    );
    const code = `${philoxWgsl}
      @group(0) @binding(0) var<storage, read> cases: array<u32>;
      @group(0) @binding(1) var<storage, read_write> words: array<vec4u>;
      @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
        let at = 6u * id.x;
        let counter = vec4u(cases[at], cases[at + 1u], cases[at + 2u], cases[at + 3u]);
        words[id.x] = philox(counter, vec2u(cases[at + 4u], cases[at + 5u]));
      }`;
    const { device } = gpu;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const owner = new Buffers(gpu);
    const words = owner.storage("words", cases.length * 16);
    const buffers = [owner.filled("cases", Uint32Array.from(cases.flat())), words];
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(cases.length);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const found = new Uint32Array(await readBytes(gpu, words, cases.length * 16));
    owner.dispose();
    const expected = cases.flatMap(([a = 0, b = 0, c = 0, d = 0, k = 0, l = 0]) =>
      philox([a, b, c, d] satisfies PhiloxWords, [k, l]),
    );
    expect(firstDifference(found, expected)).toBeNull();
  });
});

async function activated(activation: Activation, values: Float32Array<ArrayBuffer>) {
  const training = { dropout: 0.5 }; // ReLU and the identity have no kernel of their own without
  const [value = values, slope = values] = await run({
    name: "activate",
    constants: planActivation({ activation }, training).constants ?? {},
    inputs: [
      { storage: values },
      { storage: new Float32Array(values.length) },
      { uniform: layerWords(values.length / 32, 0) },
      { uniform: stepWords(8) },
    ],
    invocations: values.length / 4,
    stepAt: 0,
  });
  return { value, slope };
}

const EXTREMES = [
  0, 1e-30, 1e-10, 1e-4, 0.1, 0.62, 0.63, 1, 2, 5, 7.9, 9, 10, 15, 16, 40, 88, 89, 1e3, 1e10, 1e19, 1e30,
  3e38,
];
const WIDE = Float32Array.from([...EXTREMES, ...EXTREMES.map((z) => -z), ...uniform(210, 2, 8)]);

describe("activate.wgsl", () => {
  test.each(["relu", "gelu", "tanh", "identity"] as const)(
    "gives %s and its derivative from 0 to the largest values",
    async (activation) => {
      const { value, slope } = await activated(activation, WIDE);
      const values = Float64Array.from(WIDE, (z) => activate(activation, z));
      // tanh(u) is good to some 4 units of 2^-24, and so, times z / 2, is GELU; its argument, rounded thrice,
      // moves it by 3 * 2^-24 * |u| (1 - tanh^2) at most, below as much again.
      const bounds = values.map(
        (f, i) => 2 ** -21 * Math.max(Math.abs(f), Math.min(Math.abs(WIDE[i] ?? 0), 1)),
      );
      expect(firstOutside(value, values, bounds)).toBeNull();
      const slopes = Float64Array.from(WIDE, (z) => activationSlope(activation, z));
      expect(
        firstOutside(
          slope,
          slopes,
          slopes.map(() => 2 ** -20),
        ),
      ).toBeNull();
    },
  );

  test("tanh keeps its relative accuracy next to 0", async () => {
    const small = Float32Array.from({ length: 64 }, (_, i) => (i % 2 ? -1 : 1) * 2 ** (-i / 2));
    const { value } = await activated("tanh", small);
    const expected = Float64Array.from(small, Math.tanh);
    expect(
      firstOutside(
        value,
        expected,
        expected.map((f) => 2 ** -21 * Math.abs(f)),
      ),
    ).toBeNull();
  });

  test.each(["relu", "gelu", "tanh", "identity"] as const)("leaves a NaN in %s a NaN", async (activation) => {
    const { value } = await activated(activation, new Float32Array(32).fill(Number.NaN));
    expect([...value].every(Number.isNaN)).toBe(true);
  });

  test("drops the units that Philox says", async () => {
    const [rows, outputs4, batchRow, taken, seed, layer] = [16, 3, 40, 7, 0x9abcdef0, 5];
    const below = Math.floor(0.3 * 2 ** 32);
    const [value] = await run({
      name: "activate",
      constants: planActivation({ activation: "identity" }, { dropout: 0.3 }).constants ?? {},
      inputs: [
        { storage: new Float32Array(rows * outputs4 * 4).fill(1) },
        { storage: new Float32Array(rows * outputs4 * 4) },
        { uniform: layerWords(outputs4, layer) },
        { uniform: stepWords(rows, [batchRow, taken, seed, below]) },
      ],
      invocations: rows * outputs4,
      stepAt: 0,
    });
    const expected = Array.from({ length: rows * outputs4 }, (_, i) => {
      const row = batchRow + Math.floor(i / outputs4);
      return philox([i % outputs4, row, taken, layer], [seed, STREAMS.dropout]);
    }).flatMap((words) => words.map((word) => (word < below ? 0 : 2)));
    expect(firstDifference(value ?? [], expected)).toBeNull();
  });
});

describe("clipping", () => {
  async function clipScale(gradient: Float32Array<ArrayBuffer>, clipNorm: number): Promise<number> {
    const count = 5;
    const [, sums = gradient] = await run({
      name: "sum-of-squares",
      inputs: [
        { storage: gradient },
        { storage: new Float32Array(2 * count) },
        { uniform: Uint32Array.of(0, count) },
      ],
      invocations: count,
    });
    const [, scale = gradient] = await run({
      name: "clip-scale",
      inputs: [
        { storage: sums },
        { storage: new Float32Array(4) },
        { uniform: Float32Array.of(0, 0, 0, clipNorm) },
      ],
      invocations: 1,
    });
    return scale[0] ?? Number.NaN;
  }

  test.each([1e-3, 1, 1e15, 1e25, 1e37])("finds the norm of a gradient of size %f", async (size) => {
    const gradient = uniform(400, 3, size);
    const norm = Math.hypot(...gradient);
    // 400 squares in chains of at most 20 sums and a root: far below 32 roundings.
    expect(Math.abs((await clipScale(gradient, norm / 8)) * 8 - 1)).toBeLessThan(2 ** -19);
    expect(await clipScale(gradient, norm * 1.001)).toBe(1);
  });

  test("leaves a gradient of nothing as it is", async () => {
    expect(await clipScale(new Float32Array(400), 1)).toBe(1);
  });
});
