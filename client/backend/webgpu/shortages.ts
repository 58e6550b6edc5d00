import { AstroScaleError } from "../../../protocol/errors.ts";

/**
 * Buffers of a device, and which of them there was no memory for. WebGPU hands out such a buffer all the same and
 * says so later; until then commands that use it are enqueued, and refused one by one.
 */
export class Shortages {
  readonly #device: GPUDevice;
  readonly #onShortage: (failure: AstroScaleError) => void;
  /** Of each buffer freed: the one whose contents were computed from it. */
  readonly #heirs = new WeakMap<GPUBuffer, GPUBuffer | null>();
  /** Buffers that are not there, or were computed from one that is not, and not freed yet. */
  readonly #missing = new Map<GPUBuffer, AstroScaleError>();
  /** Freed missing buffers that refused commands may still come of. */
  #draining = 0;

  /** @param onShortage hears of each shortage once, as soon as it is known */
  constructor(device: GPUDevice, onShortage: (failure: AstroScaleError) => void) {
    this.#device = device;
    this.#onShortage = onShortage;
  }

  /** The first shortage that what is on the device suffers from; `null` when everything is there. */
  get present(): AstroScaleError | null {
    for (const failure of this.#missing.values()) return failure;
    return null;
  }

  /** Whether a refused command may be due to a buffer that is not there. */
  get explainsRefusals(): boolean {
    return this.#missing.size > 0 || this.#draining > 0;
  }

  /** A buffer, whose memory is looked after. */
  create(descriptor: GPUBufferDescriptor): GPUBuffer {
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer(descriptor);
    this.#device.popErrorScope().then(
      (error) => {
        if (error !== null) this.#note(buffer, outOfMemory(error));
      },
      () => {}, // the device is gone, which is told elsewhere
    );
    return buffer;
  }

  /** Frees a buffer. @param heir what was computed from it and is unusable if it was not there */
  destroy(buffer: GPUBuffer, heir: GPUBuffer | null): void {
    buffer.destroy();
    this.#heirs.set(buffer, heir);
    const failure = this.#missing.get(buffer);
    if (failure === undefined) return;
    this.#missing.delete(buffer);
    this.#keep(heir, failure);
  }

  #note(buffer: GPUBuffer, failure: AstroScaleError): void {
    this.#keep(buffer, failure);
    this.#onShortage(failure);
  }

  #keep(holder: GPUBuffer | null, failure: AstroScaleError): void {
    const heir = holder === null ? null : this.#heirs.get(holder);
    if (holder !== null && heir === undefined) this.#missing.set(holder, failure);
    else if (heir) this.#keep(heir, failure);
    else this.#drain();
  }

  /** Answers come in order: after this one no command refused so far is untold. */
  #drain(): void {
    this.#draining += 1;
    const drained = (): void => {
      this.#draining -= 1;
    };
    this.#device.pushErrorScope("validation");
    this.#device.popErrorScope().then(drained, drained);
  }
}

/** The error of a shortage, in WebGPU's words. */
export function outOfMemory({ message }: GPUError): AstroScaleError {
  return new AstroScaleError("out_of_memory", `the GPU ran out of memory: ${message}`);
}
