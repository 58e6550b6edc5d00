import { AstroScaleError } from "../../../protocol/errors.ts";
import type { Gpu } from "./device.ts";

/** Bytes of a vec4f: what rows are padded to. */
export const VEC4_BYTES = 16;

/** Words a buffer can be filled with. */
export type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Buffers with one owner, freed together. */
export class Buffers {
  readonly #gpu: Gpu;
  readonly #made: GPUBuffer[] = [];

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * A storage buffer of zeros.
   *
   * @throws {AstroScaleError} `too_large` when a kernel could not see all of it
   */
  storage(label: string, bytes: number): GPUBuffer {
    if (bytes > this.#gpu.maxBindingBytes) {
      throw new AstroScaleError(
        "too_large",
        `${label} takes ${bytes} bytes, this GPU allows ${this.#gpu.maxBindingBytes} in one buffer`,
      );
    }
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    return this.#make(label, bytes, STORAGE | COPY_SRC | COPY_DST);
  }

  /** A storage buffer of `words`. @throws {AstroScaleError} `too_large` as `storage` */
  filled(label: string, words: Words): GPUBuffer {
    const buffer = this.storage(label, words.byteLength);
    this.#gpu.device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  /** A uniform buffer of `bytes`. */
  uniform(label: string, bytes: number): GPUBuffer {
    return this.#make(label, bytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  }

  /** A uniform buffer of a struct of `u32`. */
  shape(label: string, words: readonly number[]): GPUBuffer {
    const data = Uint32Array.from(words);
    const buffer = this.uniform(label, data.byteLength);
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  }

  /**
   * Frees every buffer; work already submitted still sees them.
   *
   * @param heir what that work computes from them
   */
  dispose(heir: GPUBuffer | null = null): void {
    for (const buffer of this.#made.splice(0)) this.#gpu.destroyBuffer(buffer, heir);
  }

  #make(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    // An empty buffer cannot be bound.
    const size = Math.max(bytes, VEC4_BYTES);
    const buffer = this.#gpu.createBuffer({ label, size, usage });
    this.#made.push(buffer);
    return buffer;
  }
}
