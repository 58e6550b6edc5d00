import { AstroScaleError } from "../../protocol/errors.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { Backend } from "./backend.ts";
import { createWasmBackend } from "./wasm.ts";
import { createWebgpuBackend, hasHardwareAdapter } from "./webgpu.ts";

/** A backend, and what the volunteer should know about how it was chosen, or `null`. */
export interface OpenedBackend {
  readonly backend: Backend;
  readonly notice: string | null;
}

/** How backends are made; tests pass their own. */
export interface BackendMakers {
  /** Rejects with `device_unavailable` where there is no adapter. */
  readonly webgpu: () => Promise<Backend>;
  /** Rejects with a `TypeError` when the kernels cannot be downloaded. */
  readonly wasm: () => Promise<Backend>;
  /** Whether WebGPU has an adapter that is not computed on the processor. */
  readonly hasHardwareAdapter: () => Promise<boolean>;
}

const MAKERS: BackendMakers = {
  webgpu: () => createWebgpuBackend(),
  wasm: () => createWasmBackend(),
  hasHardwareAdapter: () => hasHardwareAdapter(),
};

/**
 * The backend a volunteer wants. `auto` takes WebGPU where there is hardware for it: a software adapter is
 * slower than WebAssembly. `webgpu` where there is none becomes WebAssembly with a notice, so that the node
 * takes part all the same.
 *
 * @throws {AstroScaleError} `coordinator_unreachable` when the WebAssembly kernels cannot be downloaded;
 * `device_unavailable` when this browser cannot run them
 */
export async function openBackend(
  choice: BackendName | "auto",
  makers: BackendMakers = MAKERS,
): Promise<OpenedBackend> {
  if (choice === "wasm" || (choice === "auto" && !(await makers.hasHardwareAdapter()))) {
    return { backend: await openWasm(makers), notice: null };
  }
  try {
    return { backend: await makers.webgpu(), notice: null };
  } catch (error) {
    if (!(error instanceof AstroScaleError)) throw error;
    return {
      backend: await openWasm(makers),
      notice: `no WebGPU here (${error.message}): computing with WebAssembly`,
    };
  }
}

async function openWasm({ wasm }: BackendMakers): Promise<Backend> {
  try {
    return await wasm();
  } catch (cause) {
    if (cause instanceof AstroScaleError) throw cause;
    const code = cause instanceof TypeError ? "coordinator_unreachable" : "device_unavailable";
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AstroScaleError(code, `cannot open WebAssembly: ${why}`, { cause });
  }
}
