import { AstroScaleError } from "../../../protocol/errors.ts";
import { type KernelName, WGSL } from "../../../shaders/index.ts";
import type { Gpu } from "./device.ts";
import { type BindingUse, KERNEL_BINDINGS, STEP_BYTES } from "./kernels.ts";

/** Values of a kernel's `override` constants. */
export type Constants = Readonly<Record<string, number>>;

/** A compiled kernel. */
export interface Kernel {
  readonly name: KernelName;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly workgroupSize: number;
}

/** Kernels of one device, each compiled once for the same constants. */
export class Pipelines {
  readonly gpu: Gpu;
  readonly #workgroupSize: number;
  readonly #kernels = new Map<string, Promise<Kernel>>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    // A software adapter runs a workgroup on one core: few tiles should still make several workgroups.
    this.#workgroupSize = gpu.isSoftware ? 16 : 64;
  }

  /**
   * The kernel, compiled. Ask for several at once: they compile in parallel.
   *
   * @param constants `WORKGROUP_SIZE` is what suits the device, where it is left out
   * @throws {AstroScaleError} `device_lost`, or `internal` when it does not compile
   */
  get(name: KernelName, constants: Constants = {}): Promise<Kernel> {
    const key = JSON.stringify([name, constants]);
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const kernel = this.gpu.settled(this.#compile(name, constants));
    this.#kernels.set(key, kernel);
    return kernel;
  }

  async #compile(name: KernelName, given: Constants): Promise<Kernel> {
    const { device } = this.gpu;
    const workgroupSize = given["WORKGROUP_SIZE"] ?? this.#workgroupSize;
    const constants = { ...given, WORKGROUP_SIZE: workgroupSize };
    const layout = device.createBindGroupLayout({
      label: name,
      entries: KERNEL_BINDINGS[name].map((use, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: bufferLayout(use),
      })),
    });
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: name,
        layout: device.createPipelineLayout({ label: name, bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ label: name, code: WGSL[name] }), constants },
      });
      return { name, pipeline, layout, workgroupSize };
    } catch (cause) {
      throw new AstroScaleError("internal", `the kernel ${name} does not compile: ${String(cause)}`, {
        cause,
      });
    }
  }
}

function bufferLayout(use: BindingUse): GPUBufferBindingLayout {
  switch (use) {
    case "read":
      return { type: "read-only-storage" };
    case "write":
      return { type: "storage" };
    case "uniform":
      return { type: "uniform" };
    case "step":
      return { type: "uniform", hasDynamicOffset: true, minBindingSize: STEP_BYTES };
  }
}
