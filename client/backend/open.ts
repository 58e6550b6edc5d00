import { AstroScaleError } from "../../protocol/errors.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { Backend } from "./backend.ts";
import { createWasmBackend } from "./wasm.ts";
import { createWebgpuBackend } from "./webgpu.ts";

/** A backend, and what the volunteer should know about how it was chosen, or `null`. */
export interface OpenedBackend {
  readonly backend: Backend;
  readonly notice: string | null;
  /**
   * Another that this machine has, which may be faster: still being opened, `null` when it cannot be. Whoever
   * takes the backend has to dispose of both.
   */
  readonly rival: Promise<Backend | null>;
}

/** What a backend may use. */
export interface OpenOptions {
  /** Threads of the processor, at least 1; WebAssembly alone has use for more than one. */
  readonly threads: number;
}

/** How backends are made; tests pass their own. */
export interface BackendMakers {
  /** Rejects with `device_unavailable` where there is no adapter. */
  readonly webgpu: () => Promise<Backend>;
  /** Rejects with a `TypeError` when the kernels cannot be downloaded. */
  readonly wasm: (options: OpenOptions) => Promise<Backend>;
}

const MAKERS: BackendMakers = {
  webgpu: () => createWebgpuBackend(),
  wasm: ({ threads }) => createWasmBackend({ threads }),
};

const NO_RIVAL = Promise.resolve(null);

/**
 * The backend a volunteer wants. `auto` gives WebAssembly, which is there at once, with WebGPU as its rival: which
 * of them is faster shows when both train the model. `webgpu` where there is none becomes WebAssembly with a
 * notice, so that the node takes part all the same.
 *
 * @throws {AstroScaleError} `coordinator_unreachable` when the WebAssembly kernels cannot be downloaded;
 * `device_unavailable` when this browser cannot run what was asked for
 */
export async function openBackend(
  choice: BackendName | "auto",
  options: OpenOptions,
  makers: BackendMakers = MAKERS,
): Promise<OpenedBackend> {
  if (choice === "auto") return openBoth(options, makers);
  if (choice === "wasm") {
    return { backend: await openWasm(options, makers), notice: null, rival: NO_RIVAL };
  }
  try {
    return { backend: await makers.webgpu(), notice: null, rival: NO_RIVAL };
  } catch (error) {
    if (!(error instanceof AstroScaleError)) throw error;
    return {
      backend: await openWasm(options, makers),
      notice: `no WebGPU here (${error.message}): computing with WebAssembly`,
      rival: NO_RIVAL,
    };
  }
}

async function openBoth(options: OpenOptions, makers: BackendMakers): Promise<OpenedBackend> {
  const rival = makers.webgpu().catch(() => null);
  try {
    return { backend: await openWasm(options, makers), notice: null, rival };
  } catch (error) {
    const isMissing = error instanceof AstroScaleError && error.code === "device_unavailable";
    const backend = isMissing ? await rival : null;
    if (backend !== null) return { backend, notice: null, rival: NO_RIVAL };
    void rival.then((unused) => unused?.dispose());
    throw error;
  }
}

async function openWasm(options: OpenOptions, { wasm }: BackendMakers): Promise<Backend> {
  try {
    return await wasm(options);
  } catch (cause) {
    if (cause instanceof AstroScaleError) throw cause;
    const code = cause instanceof TypeError ? "coordinator_unreachable" : "device_unavailable";
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AstroScaleError(code, `cannot open WebAssembly: ${why}`, { cause });
  }
}
