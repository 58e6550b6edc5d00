import { AstroScaleError } from "../../protocol/errors.ts";
import {
  canShareMemory,
  hasRelaxedSimd,
  type Kernels,
  type KernelsBuild,
  loadKernels,
} from "../../wasm/index.ts";
import type { Backend } from "./backend.ts";
import { moments, withTiles } from "./wasm/columns.ts";
import { encodeFeatures } from "./wasm/features.ts";
import type { SpawnLane } from "./wasm/lane.ts";
import { openMachine, type WasmMachine } from "./wasm/machine.ts";
import { WasmMatrix, wasmMatrix } from "./wasm/matrix.ts";
import { spawnWorker } from "./wasm/spawn-worker.ts";
import { createWasmTrainer } from "./wasm/trainer.ts";

/** How a WebAssembly backend is made; everything may be left out. */
export interface WasmBackendOptions {
  /** Kernels in a memory that nobody else uses; the best build for this engine is loaded when left out. */
  readonly kernels?: Kernels;
  /** How a build is loaded; fetched when left out. */
  readonly load?: (build: KernelsBuild) => Promise<Kernels>;
  /** Threads that train together, this one among them; 1 when left out. */
  readonly threads?: number;
  /** How the other threads start; as web workers when left out. */
  readonly spawnLane?: SpawnLane;
}

/**
 * The backend that runs everywhere: WebAssembly with SIMD, in pages, workers and Node. It computes on the calling
 * thread, and trains on `threads` where this thread may share its memory and wait for others (workers of isolated
 * pages, Node), else on one; `device` says which. Everything stays in its memory, which grows as needed and is let
 * go on `dispose`. Results repeat to the bit for every number of threads.
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { threads = 1, load = loadKernels, spawnLane = spawnWorker } = options;
  const shared = threads > 1 && canShareMemory();
  const kernels = options.kernels ?? (await bestKernels(load, shared));
  const open = await openMachine(kernels, shared ? { lanes: threads, spawnLane } : undefined);
  let made: WasmMachine | null = open;
  const machine = (): WasmMachine => {
    if (made === null) throw new Error("a backend was used after it was disposed");
    return made;
  };
  return {
    name: "wasm",
    device: deviceName(open),
    lost: new Promise(() => {}),

    matrix(values, rows, cols) {
      if (values.length !== rows * cols) {
        throw new AstroScaleError(
          "shape_mismatch",
          `${values.length} values, the shape says ${rows} x ${cols}`,
        );
      }
      const x = new WasmMatrix(machine().heap, rows, cols);
      x.values.set(values);
      return x;
    },
    encodeFeatures: (columns, terms) => encodeFeatures(machine(), columns, terms),
    moments: async (x) => moments(machine(), wasmMatrix(x)),
    impute(x, fill) {
      const { at, rows, cols } = wasmMatrix(x);
      withTiles(machine(), wasmMatrix(x), [fill], (tile = 0) =>
        machine().kernels.impute(at, rows, cols, tile),
      );
    },
    standardise(x, mean, invStd) {
      const { at, rows, cols } = wasmMatrix(x);
      withTiles(machine(), wasmMatrix(x), [mean, invStd], (meanTile = 0, invStdTile = 0) =>
        machine().kernels.standardise(at, rows, cols, meanTile, invStdTile),
      );
    },
    read: async (x) => wasmMatrix(x).values.slice(),
    // Compiled with the module.
    prepare: async () => {},
    trainer: async (request) => createWasmTrainer(machine(), request),
    dispose() {
      if (made !== null) open.end();
      made = null;
    },
  };
}

/** The fastest build that runs here; alone in its memory where no addresses are left for a shared one. */
async function bestKernels(
  load: (build: KernelsBuild) => Promise<Kernels>,
  shared: boolean,
): Promise<Kernels> {
  const relaxed = hasRelaxedSimd();
  try {
    return await load({ relaxed, shared });
  } catch (error) {
    if (!shared || !(error instanceof RangeError)) throw error;
    return load({ relaxed, shared: false });
  }
}

function deviceName({ kernels, lanes }: WasmMachine): string {
  return `WebAssembly ${kernels.relaxed ? "relaxed " : ""}SIMD, ${lanes === 1 ? "1 thread" : `${lanes} threads`}`;
}
