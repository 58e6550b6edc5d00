import type { Backend } from "./backend.ts";
import { openGpu } from "./webgpu/device.ts";
import { ownMatrix, readMatrix, uploadMatrix } from "./webgpu/matrix.ts";
import { MOMENTS_CONSTANTS, moments } from "./webgpu/moments.ts";
import { encodeFeatures, impute, standardise } from "./webgpu/preprocessing.ts";
import type { ProductForm } from "./webgpu/products.ts";
import { compileNetwork } from "./webgpu/training/network/network-kernels.ts";
import { createWebgpuTrainer } from "./webgpu/training/trainer.ts";
import { TunedPipelines } from "./webgpu/tuned-pipelines.ts";

/** A backend on a GPU, or on what the browser offers in its place. */
export interface WebgpuBackend extends Backend {
  readonly name: "webgpu";
  /** Whether the adapter computes on the processor, where WebAssembly is faster. */
  readonly isSoftware: boolean;
  /** The form found fastest for each product and shape so far, for people who look into its speed. */
  readonly chosenForms: ReadonlyMap<string, ProductForm>;
}

/** Where a backend comes from. */
export interface WebgpuOptions {
  /**
   * What gives adapters, in place of the browser's own. In Node: `create([])` of the package `webgpu`, kept in a
   * global (what it made crashes once it is collected), after `Object.assign(globalThis, globals)`.
   */
  readonly gpu?: GPU;
}

/**
 * A backend on a fresh adapter, its preprocessing kernels compiled.
 *
 * @throws {AstroScaleError} `device_unavailable` when there is no adapter or the adapter has no device;
 * `device_lost` when the device goes away at once
 */
export async function createWebgpuBackend(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const gpu = await openGpu(options.gpu);
  const pipelines = new TunedPipelines(gpu);
  const compiled = Promise.all([
    pipelines.get("encode-features"),
    pipelines.get("impute"),
    pipelines.get("standardise"),
    pipelines.get("moments", MOMENTS_CONSTANTS),
  ]);
  const [encodeKernel, imputeKernel, standardiseKernel, momentsKernel] = await compiled.catch((error) => {
    gpu.dispose();
    throw error;
  });

  return {
    name: "webgpu",
    device: gpu.description,
    isSoftware: gpu.isSoftware,
    chosenForms: pipelines.chosen,
    lost: gpu.lost,
    matrix: (values, rows, cols) => uploadMatrix(gpu, values, rows, cols),
    encodeFeatures: (columns, terms) => encodeFeatures(gpu, encodeKernel, columns, terms),
    moments: async (x) => moments(gpu, momentsKernel, ownMatrix(x)),
    impute: (x, fill) => impute(gpu, imputeKernel, ownMatrix(x), fill),
    standardise: (x, mean, invStd) => standardise(gpu, standardiseKernel, ownMatrix(x), { mean, invStd }),
    read: async (x) => readMatrix(gpu, ownMatrix(x)),
    prepare: async (model, training) => {
      // Settled, for what is compiled already would be there on a device that is not.
      await gpu.settled(compileNetwork(pipelines, model, training));
    },
    trainer: async (request) => createWebgpuTrainer(gpu, pipelines, request),
    dispose: () => gpu.dispose(),
  };
}
