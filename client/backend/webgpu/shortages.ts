import { AstroScaleError } from "../../../protocol/errors.ts";

/** What became of a freed buffer. */
interface Freed {
  /** The one whose contents were computed from it. */
  readonly heir: GPUBuffer | null;
  /** The span of commands in which it was freed. */
  readonly span: number;
}

/**
 * Buffers of a device, and which of them there was no memory for. WebGPU hands out such a buffer all the same and
 * says so later; until then commands that use it are enqueued, and refused one by one. Spans of commands are
 * numbered, so that it can be told of each refusal whether it may have come of that.
 */
export class Shortages {
  readonly #device: GPUDevice;
  readonly #onShortage: (failure: AstroScaleError) => void;
  readonly #freed = new WeakMap<GPUBuffer, Freed>();
  /** Buffers that are not there, or were computed from one that is not, and not freed yet. */
  readonly #missing = new Map<GPUBuffer, AstroScaleError>();
  /** Questions about buffers' memory that the device has not answered. */
  readonly #asked = new Set<Promise<void>>();
  #span = 0;
  /** The latest span with commands that may have used a buffer that was not there and has been freed. */
  #lastAffected = -1;

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

  /** Ends a span of commands. @returns its number */
  endSpan(): number {
    this.#span += 1;
    return this.#span - 1;
  }

  /** Whether a refusal in a span may have come of a buffer that was not there. */
  async explainRefusal(span: number): Promise<boolean> {
    await Promise.all(this.#asked);
    return this.#missing.size > 0 || span <= this.#lastAffected;
  }

  /** A buffer, whose memory is looked after. */
  create(descriptor: GPUBufferDescriptor): GPUBuffer {
    this.#device.pushErrorScope("out-of-memory");
    const buffer = this.#device.createBuffer(descriptor);
    const asked = this.#device.popErrorScope().then(
      (error) => {
        if (error !== null) this.#note(buffer, outOfMemory(error));
        this.#asked.delete(asked);
      },
      // The device is gone, which is told elsewhere.
      () => void this.#asked.delete(asked),
    );
    this.#asked.add(asked);
    return buffer;
  }

  /** Frees a buffer. @param heir what was computed from it and is unusable if it was not there */
  destroy(buffer: GPUBuffer, heir: GPUBuffer | null): void {
    buffer.destroy();
    this.#freed.set(buffer, { heir, span: this.#span });
    const failure = this.#missing.get(buffer);
    if (failure === undefined) return;
    this.#missing.delete(buffer);
    this.#keep(buffer, failure);
  }

  #note(buffer: GPUBuffer, failure: AstroScaleError): void {
    this.#keep(buffer, failure);
    this.#onShortage(failure);
  }

  /** Puts the shortage down to the buffer, or to what has taken its place. */
  #keep(buffer: GPUBuffer, failure: AstroScaleError): void {
    const freed = this.#freed.get(buffer);
    if (freed === undefined) {
      this.#missing.set(buffer, failure);
      return;
    }
    this.#lastAffected = Math.max(this.#lastAffected, freed.span);
    if (freed.heir !== null) this.#keep(freed.heir, failure);
  }
}

/** The error of a shortage, in WebGPU's words. */
export function outOfMemory({ message }: GPUError): AstroScaleError {
  return new AstroScaleError("out_of_memory", `the GPU ran out of memory: ${message}`);
}
