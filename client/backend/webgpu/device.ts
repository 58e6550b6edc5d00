import { AstroScaleError } from "../../../protocol/errors.ts";

const SOFTWARE_RENDERERS = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;
const MAX_DESCRIPTION = 200;

/** Whether an adapter computes on the processor: WebAssembly is faster there. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || SOFTWARE_RENDERERS.test(words(info));
}

/** A GPU process that has crashed is back after some 0.1 s; until then there is no adapter. */
const RESTART_TRIES = 4;
const RESTART_WAIT_MS = 250;

let hasGivenOne = false;

/**
 * An adapter never handed out before, or `null` where the browser has none. A browser that has given one
 * before is asked again for a second.
 */
export async function findAdapter(): Promise<GPUAdapter | null> {
  // Older browsers and insecure pages have no navigator.gpu, whatever its type says.
  const gpu = navigator.gpu as GPU | undefined;
  for (let tries = 0; ; tries++) {
    const adapter = (await gpu?.requestAdapter()) ?? null;
    hasGivenOne ||= adapter !== null;
    if (adapter !== null || !hasGivenOne || tries === RESTART_TRIES) return adapter;
    await new Promise((resolve) => setTimeout(resolve, RESTART_WAIT_MS));
  }
}

/**
 * An open device, on a fresh adapter, with the largest buffers it allows.
 *
 * @throws {AstroScaleError} `device_unavailable` when the browser has no adapter or the adapter no device
 */
export async function openGpu(): Promise<Gpu> {
  const adapter = await findAdapter();
  if (adapter === null) {
    throw new AstroScaleError("device_unavailable", "this browser offers no WebGPU adapter");
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    });
    return new Gpu(device, adapter.info);
  } catch (cause) {
    throw new AstroScaleError("device_unavailable", `the adapter ${words(adapter.info)} gave no device`, {
      cause,
    });
  }
}

/** A device and what became of it. Whoever waits for the device waits through `settled`, and never for ever. */
export class Gpu {
  readonly device: GPUDevice;
  readonly description: string;
  readonly isSoftware: boolean;
  /** The largest storage buffer a kernel can see, in bytes. */
  readonly maxBindingBytes: number;
  /** Resolves with the reason when the device is gone for a cause other than `dispose`. */
  readonly lost: Promise<string>;
  readonly #waiting = new Set<(failure: AstroScaleError) => void>();
  #failure: AstroScaleError | null = null;
  #reportLoss: (reason: string) => void = () => {};

  constructor(device: GPUDevice, info: GPUAdapterInfo, maxBindingBytes = largestBinding(device.limits)) {
    this.device = device;
    this.maxBindingBytes = maxBindingBytes;
    this.isSoftware = isSoftwareAdapter(info);
    this.description = `${words(info)}${this.isSoftware ? " (software)" : ""}`.slice(0, MAX_DESCRIPTION);
    this.lost = new Promise((resolve) => {
      this.#reportLoss = resolve;
    });
    device.addEventListener("uncapturederror", (event) => this.#onError(event));
    void device.lost.then(({ reason, message }) => this.#lose(message || `the browser says ${reason}`));
  }

  /**
   * What `promise` gives, once the device has done all earlier work without an error.
   *
   * @throws {AstroScaleError} `device_lost` when the device goes away or runs out of memory before that;
   * `internal` when it refused a command
   */
  settled<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        // Its own rejection would go unheard.
        promise.catch(() => {});
        reject(this.#failure);
        return;
      }
      this.#waiting.add(reject);
      promise
        .then(
          (value) => (this.#failure === null ? resolve(value) : reject(this.#failure)),
          // A mapping is aborted before the loss itself is told.
          (cause: unknown) => reject(this.#failure ?? asLoss(cause)),
        )
        .finally(() => this.#waiting.delete(reject));
    });
  }

  /**
   * What `allocate` gives, when there was memory for it.
   *
   * @throws {AstroScaleError} `device_lost` when there was not; `free` has been called
   */
  async allocated<T>(allocate: () => T, free: () => void): Promise<T> {
    this.device.pushErrorScope("out-of-memory");
    let popped: Promise<GPUError | null> | null = null;
    try {
      const made = allocate();
      popped = this.device.popErrorScope();
      const error = await this.settled(popped);
      if (error !== null) throw outOfMemory(error);
      return made;
    } catch (error) {
      if (popped === null) void this.device.popErrorScope().catch(() => {});
      free();
      throw error;
    }
  }

  /** Frees the device. Whoever waits is told `device_lost`. */
  dispose(): void {
    this.#reportLoss = () => {};
    this.#fail(new AstroScaleError("device_lost", "the backend was disposed"));
    this.device.destroy();
  }

  #onError(event: GPUUncapturedErrorEvent): void {
    event.preventDefault();
    const { error } = event;
    if (error instanceof GPUOutOfMemoryError) {
      const failure = outOfMemory(error);
      this.#fail(failure);
      this.#reportLoss(failure.message);
      this.device.destroy();
    } else {
      this.#fail(new AstroScaleError("internal", `the GPU refused a command: ${error.message}`));
    }
  }

  #lose(reason: string): void {
    this.#fail(new AstroScaleError("device_lost", `the GPU device was lost: ${reason}`));
    this.#reportLoss(reason);
  }

  #fail(failure: AstroScaleError): void {
    this.#failure ??= failure;
    for (const reject of this.#waiting) reject(this.#failure);
    this.#waiting.clear();
  }
}

function largestBinding({ maxBufferSize, maxStorageBufferBindingSize }: GPUSupportedLimits): number {
  return Math.min(maxBufferSize, maxStorageBufferBindingSize);
}

function words({ vendor, architecture, description, device }: GPUAdapterInfo): string {
  return description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed GPU";
}

function outOfMemory({ message }: GPUError): AstroScaleError {
  return new AstroScaleError("device_lost", `the GPU ran out of memory: ${message}`);
}

function asLoss(cause: unknown): unknown {
  if (cause instanceof AstroScaleError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AstroScaleError("device_lost", `the GPU did not answer: ${reason}`, { cause });
}
