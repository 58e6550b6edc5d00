import type { Gpu } from "./device.ts";
import { KERNEL_BINDINGS, STEP_BYTES } from "./kernels.ts";
import type { Kernel } from "./pipelines.ts";

const MAX_WORKGROUPS = 65_535; // maxComputeWorkgroupsPerDimension of every device

/** A kernel with its buffers, ready to be dispatched any number of times. */
export interface BoundKernel<K extends Kernel = Kernel> {
  readonly kernel: K;
  readonly group: GPUBindGroup;
}

/** Binds `buffers` in the order in which the kernel declares them. */
export function bind<K extends Kernel>(gpu: Gpu, kernel: K, buffers: readonly GPUBuffer[]): BoundKernel<K> {
  const uses = KERNEL_BINDINGS[kernel.name];
  const group = gpu.device.createBindGroup({
    label: kernel.name,
    layout: kernel.layout,
    entries: buffers.map((buffer, binding) => ({
      binding,
      resource: uses[binding] === "step" ? { buffer, size: STEP_BYTES } : { buffer },
    })),
  });
  return { kernel, group };
}

/** Workgroups `[x, y]` with room for `invocations`: at most 65,535 in x, the rest wrapped into y. */
export function workgroupGrid(invocations: number, workgroupSize: number): readonly [number, number] {
  const workgroups = Math.ceil(invocations / workgroupSize);
  return [Math.min(workgroups, MAX_WORKGROUPS), Math.ceil(workgroups / MAX_WORKGROUPS)];
}

/** Encodes one dispatch. @param stepAt byte offset of the kernel's `Step`, for those that take one */
export function dispatch(
  pass: GPUComputePassEncoder,
  { kernel, group }: BoundKernel,
  { invocations, stepAt }: { readonly invocations: number; readonly stepAt?: number },
): void {
  if (invocations === 0) return;
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, group, stepAt === undefined ? [] : [stepAt]);
  pass.dispatchWorkgroups(...workgroupGrid(invocations, kernel.workgroupSize));
}

/** Submits one dispatch of its own. */
export function runNow(gpu: Gpu, bound: BoundKernel, invocations: number): void {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  dispatch(pass, bound, { invocations });
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
}
