import type { BackendName, BackendProbe } from "../../protocol/nodes.ts";
import { formatRate } from "./format.ts";

/** Name of a backend as people write it. */
export const BACKENDS: Readonly<Record<BackendName, string>> = { webgpu: "WebGPU", wasm: "WebAssembly" };

/** Backend and device in one, such as `WebGPU on Apple M2`; a device that names its backend stands alone. */
export function backendAndDevice(backend: BackendName, device: string | null): string {
  const name = BACKENDS[backend];
  if (device === null || device === "") return name;
  return device.startsWith(name) ? device : `${name} on ${device}`;
}

/** What was measured, such as `WebAssembly 51,000/s, WebGPU 210,000/s`; `null` when nothing was. */
export function measuredRates(probes: readonly BackendProbe[]): string | null {
  if (probes.length === 0) return null;
  return probes
    .map(({ backend, examplesPerSecond }) =>
      examplesPerSecond === null
        ? `${BACKENDS[backend]} failed`
        : `${BACKENDS[backend]} ${formatRate(examplesPerSecond)}`,
    )
    .join(", ");
}

/**
 * Why `backend` computes: `WebGPU chosen: 4.1x as fast as WebAssembly here: 210,000 against 51,000 examples a
 * second`. `null` when no measurement speaks for it.
 */
export function choiceReason(backend: BackendName, probes: readonly BackendProbe[]): string | null {
  const other = probes.find((probe) => probe.backend !== backend);
  const rate = probes.find((probe) => probe.backend === backend)?.examplesPerSecond ?? null;
  if (other === undefined) return null;
  const otherName = BACKENDS[other.backend];
  const chosen = `${BACKENDS[backend]} chosen`;
  if (other.examplesPerSecond === null) return `${chosen}: ${otherName} did not work here`;
  if (rate === null || rate < other.examplesPerSecond) return null;
  const rates = `${perSecond(rate)} against ${perSecond(other.examplesPerSecond)} examples a second`;
  return `${chosen}: ${times(rate / other.examplesPerSecond)} as fast as ${otherName} here: ${rates}`;
}

function perSecond(rate: number): string {
  return formatRate(rate).replace("/s", "");
}

/** `4.1x`; `just` where two digits show no difference. */
function times(ratio: number): string {
  const digits = ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1);
  return digits === "1.0" ? "just" : `${digits}x`;
}
