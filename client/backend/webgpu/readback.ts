import type { Gpu } from "./device.ts";

/** A buffer of the device's that the host can read. */
export interface Readback {
  /** Copy results into it. */
  readonly buffer: GPUBuffer;
  /**
   * Its bytes after all work submitted so far, once; then it is freed.
   *
   * @throws {AstroScaleError} `device_lost` when the device goes away; `out_of_memory`
   */
  bytes(): Promise<ArrayBuffer>;
}

/** A readback of `size` bytes, a multiple of 4. */
export function openReadback(gpu: Gpu, size: number): Readback {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const buffer = gpu.createBuffer({ label: "readback", size, usage });
  return {
    buffer,
    async bytes() {
      try {
        await gpu.settled(buffer.mapAsync(GPUMapMode.READ));
        return buffer.getMappedRange().slice(0);
      } finally {
        gpu.destroyBuffer(buffer);
      }
    },
  };
}

/**
 * The first `size` bytes of `source` after all earlier work.
 *
 * @throws {AstroScaleError} `device_lost` when the device goes away
 */
export async function readBytes(gpu: Gpu, source: GPUBuffer, size: number): Promise<ArrayBuffer> {
  if (size === 0) return new ArrayBuffer(0);
  const readback = openReadback(gpu, size);
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, 0, readback.buffer, 0, size);
  gpu.device.queue.submit([encoder.finish()]);
  return readback.bytes();
}
