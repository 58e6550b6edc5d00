const SOFTWARE_RENDERERS = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** A GPU process that has crashed is back after some 0.1 s; until then there is no adapter. */
const RESTART_TRIES = 4;
const RESTART_WAIT_MS = 250;

/** Those that have given an adapter before. */
const known = new WeakSet<GPU>();

/**
 * An adapter never handed out before, or `null` where there is none. Who has given one before is asked again
 * for a second.
 *
 * @param gpu the browser's own where left out
 */
export async function findAdapter(gpu: GPU | null = browserGpu()): Promise<GPUAdapter | null> {
  if (gpu === null) return null;
  for (let tries = 0; ; tries++) {
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) known.add(gpu);
    if (adapter !== null || !known.has(gpu) || tries === RESTART_TRIES) return adapter;
    await new Promise((resolve) => setTimeout(resolve, RESTART_WAIT_MS));
  }
}

/** Whether an adapter computes on the processor: WebAssembly is faster there. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || SOFTWARE_RENDERERS.test(adapterWords(info));
}

/** An adapter's description, for people. */
export function adapterWords({ vendor, architecture, description, device }: GPUAdapterInfo): string {
  return description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed GPU";
}

function browserGpu(): GPU | null {
  // Older browsers and insecure pages have no navigator.gpu, and Node 20 no navigator, whatever their types say.
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  return navigator?.gpu ?? null;
}
