import type { Matrix } from "../backend.ts";
import type { Heap } from "./heap.ts";

/** A matrix in WebAssembly memory. */
export class WasmMatrix implements Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly #heap: Heap;
  #at: number | null;

  constructor(heap: Heap, rows: number, cols: number) {
    this.rows = rows;
    this.cols = cols;
    this.#heap = heap;
    this.#at = heap.allocate(rows * cols * Float32Array.BYTES_PER_ELEMENT);
  }

  /** Its first byte. */
  get at(): number {
    if (this.#at === null) throw new Error("a matrix was used after it was disposed");
    return this.#at;
  }

  /** Its values, until the next allocation. */
  get values(): Float32Array {
    return this.#heap.floats(this.at, this.rows * this.cols);
  }

  dispose(): void {
    if (this.#at !== null) this.#heap.free(this.#at);
    this.#at = null;
  }
}

/** The matrix as this backend's own. */
export function wasmMatrix(x: Matrix): WasmMatrix {
  if (!(x instanceof WasmMatrix)) throw new Error("a matrix of another backend was given");
  return x;
}
