import type { BackendName } from "../../protocol/nodes.ts";

/** Name of a backend as people write it. */
export const BACKENDS: Readonly<Record<BackendName, string>> = { webgpu: "WebGPU", wasm: "WebAssembly" };

/** Backend and device in one, such as `WebGPU on Apple M2`; a device that names its backend stands alone. */
export function backendAndDevice(backend: BackendName, device: string | null): string {
  const name = BACKENDS[backend];
  if (device === null || device === "") return name;
  return device.startsWith(name) ? device : `${name} on ${device}`;
}
