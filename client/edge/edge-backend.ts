import { readFile } from "node:fs/promises";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import { instantiateKernels, type Kernels, type KernelsBuild } from "../../wasm/index.ts";
import type { Backend } from "../backend/backend.ts";
import { type OpenedBackend, type OpenOptions, openBackend } from "../backend/open.ts";
import { createWasmBackend } from "../backend/wasm.ts";
import { createWebgpuBackend } from "../backend/webgpu.ts";
import { packageFile } from "./package-file.ts";
import { spawnThread } from "./spawn-thread.ts";

/**
 * A backend in Node, chosen as `openBackend` does it: WebAssembly always, WebGPU where the npm package `webgpu` is
 * installed and finds an adapter.
 *
 * @throws {AstroScaleError} `device_unavailable` when Node cannot run the kernels, or they have not been built
 */
export function openEdgeBackend(choice: BackendName | "auto", options: OpenOptions): Promise<OpenedBackend> {
  return openBackend(choice, options, { wasm, webgpu });
}

function wasm({ threads }: OpenOptions): Promise<Backend> {
  return createWasmBackend({ load: readKernels, threads, spawnLane: spawnThread });
}

async function readKernels(build: KernelsBuild): Promise<Kernels> {
  return instantiateKernels(await readFile(kernelsFile(build)));
}

/** Where `wasm/build.mjs` puts a build. */
function kernelsFile({ relaxed, shared }: KernelsBuild): string {
  return packageFile(`wasm/dist/kernels${relaxed ? "-relaxed" : ""}${shared ? "-shared" : ""}.wasm`);
}

async function webgpu(): Promise<Backend> {
  return createWebgpuBackend({ gpu: await nodeGpu() });
}

/** Kept for the life of the process: what it made crashes once it is collected. */
let dawn: GPU | null = null;

/** @throws {AstroScaleError} `device_unavailable` where the package is not installed or does not load */
async function nodeGpu(): Promise<GPU> {
  if (dawn !== null) return dawn;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    dawn = create([]);
    return dawn;
  } catch (cause) {
    throw new AstroScaleError(
      "device_unavailable",
      "the npm package webgpu does not load; `npm install webgpu` adds it",
      { cause },
    );
  }
}
