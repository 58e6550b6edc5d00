import { AstroScaleError } from "../../../protocol/errors.ts";
import { adapterWords, findAdapter, isSoftwareAdapter } from "./adapter.ts";
import { outOfMemory, Shortages } from "./shortages.ts";

const MAX_DESCRIPTION = 200;

/** Limits that are asked for as far as the adapter offers them; the others are those of every device. */
const RAISED_LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

/**
 * An open device, on a fresh adapter, with the largest buffers it allows.
 *
 * @param gpu the browser's own where left out
 * @throws {AstroScaleError} `device_unavailable` when there is no adapter or the adapter has no device
 */
export async function openGpu(gpu?: GPU): Promise<Gpu> {
  const adapter = await findAdapter(gpu);
  if (adapter === null) {
    throw new AstroScaleError("device_unavailable", "no WebGPU adapter is offered here");
  }
  const { limits, info } = adapter;
  try {
    const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((name) => [name, limits[name]]));
    return new Gpu(await adapter.requestDevice({ requiredLimits }), info);
  } catch (cause) {
    throw new AstroScaleError("device_unavailable", `the adapter ${adapterWords(info)} gave no device`, {
      cause,
    });
  }
}

/**
 * A device and what became of it. Whoever waits for the device waits through `settled`, and never for ever.
 *
 * - A lost device, and one that refused a command, fails everything from then on.
 * - A buffer that there was no memory for fails what is asked until it is freed, for its contents may be in it.
 *   Then the device is as good as before.
 * - Memory that ran out in the middle of work, not for a buffer, leaves nothing on the device to rely on: it is
 *   given up.
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly description: string;
  readonly isSoftware: boolean;
  /** The largest storage buffer a kernel can see, in bytes. */
  readonly maxBindingBytes: number;
  /** Resolves with the reason when the device is gone for a cause other than `dispose`. */
  readonly lost: Promise<string>;
  readonly #waiting = new Set<(failure: AstroScaleError) => void>();
  readonly #shortages: Shortages;
  /** Whether buffers are made in the error scopes of `allocated`. */
  #allocating = false;
  #failure: AstroScaleError | null = null;
  #reportLoss: (reason: string) => void = () => {};

  constructor(device: GPUDevice, info: GPUAdapterInfo, maxBindingBytes = largestBinding(device.limits)) {
    this.device = device;
    this.maxBindingBytes = maxBindingBytes;
    this.isSoftware = isSoftwareAdapter(info);
    this.description = `${adapterWords(info)}${this.isSoftware ? " (software)" : ""}`.slice(
      0,
      MAX_DESCRIPTION,
    );
    this.#shortages = new Shortages(device, (failure) => this.#rejectWaiting(failure));
    this.lost = new Promise((resolve) => {
      this.#reportLoss = resolve;
    });
    device.pushErrorScope("validation");
    device.addEventListener("uncapturederror", (event) => this.#onError(event));
    void device.lost.then(({ reason, message }) => this.#lose(message || `its owner says ${reason}`));
  }

  /**
   * What `promise` gives, once the device has done all earlier work without an error.
   *
   * @throws {AstroScaleError} `device_lost` when the device goes away before that; `out_of_memory` when a buffer
   * is not there; `internal` when it refused a command
   */
  settled<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const known = this.#fault();
      if (known !== null) {
        // Its own rejection would go unheard.
        promise.catch(() => {});
        reject(known);
        return;
      }
      this.#waiting.add(reject);
      const heard = this.#hearRefusals();
      promise
        .then(
          async (value) => {
            await heard;
            const fault = this.#fault();
            if (fault === null) resolve(value);
            else reject(fault);
          },
          // A mapping is aborted before the loss or the shortage itself is told.
          async (cause: unknown) => {
            await heard;
            reject(this.#fault() ?? asLoss(cause));
          },
        )
        .finally(() => this.#waiting.delete(reject));
    });
  }

  /** A buffer, freed by `destroyBuffer`. Outside `allocated`, memory it lacks shows in the next answer. */
  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    return this.#allocating ? this.device.createBuffer(descriptor) : this.#shortages.create(descriptor);
  }

  /** Frees a buffer. @param heir what was computed from it and is unusable if there was no memory for it */
  destroyBuffer(buffer: GPUBuffer, heir: GPUBuffer | null = null): void {
    this.#shortages.destroy(buffer, heir);
  }

  /**
   * What `allocate` gives, when there was memory for it.
   *
   * @throws {AstroScaleError} `out_of_memory` when there was not, `internal` when a command in it was refused;
   * `free` has been called and the device is as before
   */
  async allocated<T>(allocate: () => T, free: () => void): Promise<T> {
    try {
      let made: T;
      let errors: Promise<(GPUError | null)[]>;
      this.#openScopes();
      try {
        made = allocate();
      } finally {
        errors = this.#closeScopes();
      }
      const [shortage, refusal] = await this.settled(errors);
      if (shortage) throw outOfMemory(shortage);
      if (refusal) throw refused(refusal);
      return made;
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Gives the device up for lost, as when it does not answer, and frees it. */
  loseBecause(reason: string): void {
    this.#lose(reason);
    this.device.destroy();
  }

  /** Frees the device. Whoever waits is told `device_lost`. */
  dispose(): void {
    this.#reportLoss = () => {};
    this.#fail(new AstroScaleError("device_lost", "the backend was disposed"));
    this.device.destroy();
  }

  #openScopes(): void {
    // What uses a buffer that is not there is refused: that is no fault of its own.
    this.device.pushErrorScope("validation");
    this.device.pushErrorScope("out-of-memory");
    this.#allocating = true;
  }

  /** @returns the shortage and the refusal, or `null`s */
  #closeScopes(): Promise<(GPUError | null)[]> {
    this.#allocating = false;
    const errors = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]);
    // Unheard where `allocate` itself throws.
    errors.catch(() => {});
    return errors;
  }

  /**
   * Fails what is asked from now on if a command was refused since the last time. Resolves when that is known.
   * An error scope is always open for this: the device answers it in its turn, whereas uncaptured errors come late.
   */
  async #hearRefusals(): Promise<void> {
    const span = this.#shortages.endSpan();
    const popped = this.device.popErrorScope();
    this.device.pushErrorScope("validation");
    // A device that is gone says so itself.
    const error = await popped.catch(() => null);
    if (error !== null && !(await this.#shortages.explainRefusal(span))) this.#fail(refused(error));
  }

  #fault(): AstroScaleError | null {
    return this.#failure ?? this.#shortages.present;
  }

  #onError(event: GPUUncapturedErrorEvent): void {
    event.preventDefault();
    const { error } = event;
    if (error instanceof GPUOutOfMemoryError) {
      const failure = outOfMemory(error);
      this.#fail(failure);
      this.#reportLoss(failure.message);
      this.device.destroy();
      return;
    }
    this.#fail(refused(error));
  }

  #lose(reason: string): void {
    this.#fail(new AstroScaleError("device_lost", `the GPU device was lost: ${reason}`));
    this.#reportLoss(reason);
  }

  #fail(failure: AstroScaleError): void {
    this.#failure ??= failure;
    this.#rejectWaiting(this.#failure);
  }

  #rejectWaiting(failure: AstroScaleError): void {
    for (const reject of this.#waiting) reject(failure);
    this.#waiting.clear();
  }
}

function largestBinding({ maxBufferSize, maxStorageBufferBindingSize }: GPUSupportedLimits): number {
  return Math.min(maxBufferSize, maxStorageBufferBindingSize);
}

function refused({ message }: GPUError): AstroScaleError {
  return new AstroScaleError("internal", `the GPU refused a command: ${message}`);
}

function asLoss(cause: unknown): unknown {
  if (cause instanceof AstroScaleError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AstroScaleError("device_lost", `the GPU did not answer: ${reason}`, { cause });
}
