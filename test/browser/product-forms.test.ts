import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Buffers } from "../../client/backend/webgpu/buffers.ts";
import { Gpu, openGpu } from "../../client/backend/webgpu/device.ts";
import { bind } from "../../client/backend/webgpu/dispatch.ts";
import { uploadMatrix } from "../../client/backend/webgpu/matrix.ts";
import {
  dispatchRows,
  dispatchWeightGradient,
  PRODUCTS,
  type Product,
  type ProductForm,
  TILES,
} from "../../client/backend/webgpu/products.ts";
import { readBytes } from "../../client/backend/webgpu/readback.ts";
import { createWebgpuTrainer } from "../../client/backend/webgpu/training/trainer.ts";
import { TunedPipelines } from "../../client/backend/webgpu/tuned-pipelines.ts";
import { localTraining } from "../../protocol/local-training.ts";
import { constantRates, inOrder, problem, startAt, uniform } from "../conformance/samples.ts";
import { firstDifference } from "../oracle/close.ts";

const FORMS = Object.keys(TILES) as ProductForm[];
const OTHERS = FORMS.filter((form) => form !== "8x8");
const FIRST_ROW = 3;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu();
});
afterAll(() => gpu?.dispose());

interface Shape {
  readonly rows: number;
  readonly inputs4: number;
  readonly outputs4: number;
  readonly slices: number;
}

/** What `form` computes of a product; words where nothing is to be written stay -1. */
async function computed(product: Product, form: ProductForm, shape: Shape): Promise<Float32Array> {
  const { rows, inputs4, outputs4, slices } = shape;
  const pipelines = new TunedPipelines(gpu, form);
  const kernel = (await pipelines.layer({ inputs4, outputs4, batchSize: rows }))[product];
  const buffers = new Buffers(gpu);
  const filled = (size4: number, seed: number): GPUBuffer => buffers.filled("in", uniform(4 * size4, seed));
  const parameters4 = (4 * inputs4 + 1) * outputs4;
  const gathered = product === "dense-input-gradient" ? 0 : 1;
  const x = (): GPUBuffer => filled((rows + FIRST_ROW) * inputs4, 1);
  const w = (): GPUBuffer => filled(2 + parameters4, 2);
  const d = (): GPUBuffer => filled(rows * outputs4, 3);
  const untouched = (size4: number): GPUBuffer =>
    buffers.filled("out", new Float32Array(4 * (size4 + 5)).fill(-1));
  const bound = {
    dense: () => [x(), w(), untouched(rows * outputs4)],
    "dense-input-gradient": () => [d(), w(), filled(rows * inputs4, 4)],
    "dense-weight-gradient": () => [x(), d(), untouched(2 + slices * parameters4)],
  }[product]();
  // `Layer` and `Step`: ReLU, rows gathered from FIRST_ROW, masked; parameters begin 2 vec4s into their group.
  const layer = [inputs4, outputs4, 4 * outputs4, 2, 1, gathered, slices, parameters4, 1, 0, 0, 0];
  const step = [FIRST_ROW, rows, rows, 1, ...Array.from({ length: 16 }, () => 0)];
  const all = [...bound, buffers.shape("layer", layer), buffers.shape("step", step)];
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const group = bind(gpu, kernel, all);
  if (product === "dense-weight-gradient") {
    dispatchWeightGradient(pass, group, { inputs4, outputs4, slices, stepAt: 0 });
  } else {
    dispatchRows(pass, group, { rows, cols4: product === "dense" ? outputs4 : inputs4, stepAt: 0 });
  }
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  const [, , result] = bound;
  if (result === undefined) throw new Error("unreachable: a product has a result");
  const bytes = await readBytes(gpu, result, result.size);
  buffers.dispose();
  return new Float32Array(bytes);
}

describe.each(OTHERS)("in the form %s", (form) => {
  // One tile, a vec4 more and less than tiles of each form, ragged slices, more slices than rows have quads.
  test.each<Shape>([
    { rows: 8, inputs4: 1, outputs4: 1, slices: 1 },
    { rows: 16, inputs4: 5, outputs4: 3, slices: 8 },
    { rows: 40, inputs4: 9, outputs4: 7, slices: 3 },
    { rows: 88, inputs4: 16, outputs4: 17, slices: 4 },
  ])("products of $rows rows, $inputs4 x $outputs4 vec4s, have the bits of 8x8", async (shape) => {
    for (const product of PRODUCTS) {
      const wanted = await computed(product, "8x8", shape);
      expect(new Set(wanted).size).toBeGreaterThan(10);
      expect([product, firstDifference(await computed(product, form, shape), wanted)]).toEqual([
        product,
        null,
      ]);
    }
  });

  test("an epoch leaves the parameters, losses, gradients and outputs of 8x8", async () => {
    expect(await learned(form)).toEqual(await learned("8x8"));
  });
});

/** All that a trainer gives when its products are computed in `form`. */
async function learned(form: ProductForm): Promise<unknown> {
  const given = problem({ widths: [7, 37, 66, 3], head: "softmax-cross-entropy", rows: 131, seed: 17 });
  const training = localTraining({
    localEpochs: 1,
    batchSize: 50,
    localLearningRate: 0.05,
    optimizer: { kind: "momentum", momentum: 0.9 },
  });
  const x = uploadMatrix(gpu, given.x, given.rows, 7);
  const set = { x, targets: given.targets };
  const pipelines = new TunedPipelines(gpu, form);
  const trainer = await createWebgpuTrainer(gpu, pipelines, { model: given.model, training, set });
  trainer.load(startAt(given.parameters));
  const loss = await trainer.epoch(inOrder(given.rows), constantRates(given.rows, 50, 0.05));
  const gradient = await trainer.gradient(inOrder(given.rows));
  const results = [loss, gradient, await trainer.parameters(), await trainer.outputs()];
  trainer.dispose();
  x.dispose();
  return results;
}

describe("a form chosen by time", () => {
  const layer = { inputs4: 4, outputs4: 3, batchSize: 100 };

  test("is one of those that fit a GPU, measured once for each product and shape", async () => {
    const pipelines = new TunedPipelines(gpu, "measured");
    expect(pipelines.chosen.size).toBe(0);
    const [kernels, again] = await Promise.all([pipelines.layer(layer), pipelines.layer(layer)]);
    expect(again).toEqual(kernels);
    for (const kernel of Object.values(kernels)) expect(["8x8", "4x4", "shared"]).toContain(kernel.form);
    expect([...pipelines.chosen.keys()].toSorted()).toEqual(
      PRODUCTS.map((product) => `${product} 100 x 16 x 12`).toSorted(),
    );
  });

  test("is the first where the GPU has no room to measure", async () => {
    const small = new Gpu(gpu.device, gpu.device.adapterInfo, 64);
    const { dense } = await new TunedPipelines(small, "measured").layer(layer);
    expect(dense.form).toBe("8x8");
  });

  test("is not asked for on a processor, where wide layers take large tiles and narrow ones small", async () => {
    const pipelines = new TunedPipelines(gpu);
    const narrow = await pipelines.layer({ inputs4: 31, outputs4: 32, batchSize: 64 });
    const wide = await pipelines.layer({ inputs4: 32, outputs4: 32, batchSize: 64 });
    expect([narrow.dense.form, wide.dense.form]).toEqual(["8x8", "16x16"]);
    expect(pipelines.chosen.size).toBe(0);
  });
});
