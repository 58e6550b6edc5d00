import { AstroScaleError } from "../../protocol/errors.ts";
import { type Kernels, loadKernels } from "../../wasm/index.ts";
import type { Backend } from "./backend.ts";
import { moments, withTiles } from "./wasm/columns.ts";
import { encodeFeatures } from "./wasm/features.ts";
import { createHeap } from "./wasm/heap.ts";
import { WasmMatrix, wasmMatrix } from "./wasm/matrix.ts";
import type { WasmMachine } from "./wasm/resident-network.ts";
import { createWasmTrainer } from "./wasm/trainer.ts";

/**
 * The backend that runs everywhere: WebAssembly with SIMD on the calling thread, in pages, workers and Node.
 * Everything stays in its memory, which grows as needed and is let go on `dispose`. Every method throws
 * `device_lost` when that memory cannot grow. Results repeat to the bit.
 *
 * @param given kernels in a memory that nobody else uses; fetched when left out
 */
export async function createWasmBackend(given?: Kernels): Promise<Backend> {
  const kernels = given ?? (await loadKernels());
  let made: WasmMachine | null = { kernels, heap: createHeap(kernels.memory, kernels.heapBase()) };
  const machine = (): WasmMachine => {
    if (made === null) throw new Error("a backend was used after it was disposed");
    return made;
  };
  return {
    name: "wasm",
    device: "WebAssembly SIMD, one thread",
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
    trainer: async (model, training, set) => createWasmTrainer(machine(), { model, training, set }),
    dispose() {
      made = null;
    },
  };
}
