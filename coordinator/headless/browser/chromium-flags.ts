import type { Machine } from "./machine.ts";

/**
 * Which WebGPU a browser offers: that of a graphics device, one computed on the processor (correct, but slower
 * than WebAssembly), or none.
 */
export type GpuMode = "device" | "swiftshader" | "none";

const QUIET = [
  // Behind some proxies QUIC hangs instead of failing over to TCP.
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// All pages of a pool but one are in the background, where timers would tick once a second.
const UNTHROTTLED = [
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
];

const WEBGPU = {
  device: ["--enable-unsafe-webgpu"],
  swiftshader: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  none: [],
};

/** Command line of a browser whose nodes join `coordinator`, an origin. */
export function chromiumFlags(
  machine: Pick<Machine, "platform" | "isRoot">,
  gpu: GpuMode,
  coordinator: string,
): string[] {
  const linux = machine.platform === "linux";
  return [
    // Chromium's sandbox needs a user other than root.
    ...(linux && machine.isRoot ? ["--no-sandbox"] : []),
    ...QUIET,
    ...UNTHROTTLED,
    ...WEBGPU[gpu],
    ...(linux && gpu === "device" ? ["--enable-features=Vulkan"] : []),
    ...trusted(coordinator),
  ];
}

/**
 * WebGPU, `crypto.subtle` and storage exist only in secure contexts, which plain http beyond this machine is
 * not. The operator who named the coordinator trusts it, as between the containers of one deployment.
 */
function trusted(coordinator: string): string[] {
  const { protocol, hostname, origin } = new URL(coordinator);
  const local = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return protocol === "http:" && !local ? [`--unsafely-treat-insecure-origin-as-secure=${origin}`] : [];
}
