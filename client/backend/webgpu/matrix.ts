import { AstroScaleError } from "../../../protocol/errors.ts";
import type { Matrix } from "../backend.ts";
import { Buffers, VEC4_BYTES } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { readBytes } from "./readback.ts";

/** A matrix in a buffer of its own: rows padded with zeros to whole vec4s. */
export class WebgpuMatrix implements Matrix {
  readonly rows: number;
  readonly cols: number;
  /** vec4s in a row. */
  readonly cols4: number;
  readonly #buffers: Buffers;
  #buffer: GPUBuffer | null;

  /** Zeros. @throws {AstroScaleError} `too_large` when the GPU has no buffer of that size */
  constructor(gpu: Gpu, rows: number, cols: number) {
    this.rows = rows;
    this.cols = cols;
    this.cols4 = Math.ceil(cols / 4);
    this.#buffers = new Buffers(gpu);
    this.#buffer = this.#buffers.storage(`a matrix of ${rows} x ${cols}`, rows * this.cols4 * VEC4_BYTES);
  }

  get buffer(): GPUBuffer {
    if (this.#buffer === null) throw new Error("a matrix was used after it was disposed");
    return this.#buffer;
  }

  dispose(): void {
    this.#buffer = null;
    this.#buffers.dispose();
  }
}

/** The matrix as this backend's own. */
export function ownMatrix(x: Matrix): WebgpuMatrix {
  if (x instanceof WebgpuMatrix) return x;
  throw new Error("a matrix of another backend was given to WebGPU");
}

/**
 * A matrix of the caller's values, copied in.
 *
 * @param values row-major `[rows, cols]`
 * @throws {AstroScaleError} `shape_mismatch` when the length differs; `too_large` as `WebgpuMatrix`
 */
export function uploadMatrix(
  gpu: Gpu,
  values: Float32Array<ArrayBuffer>,
  rows: number,
  cols: number,
): WebgpuMatrix {
  if (values.length !== rows * cols) {
    throw new AstroScaleError("shape_mismatch", `${values.length} values, wanted ${rows} x ${cols}`);
  }
  const x = new WebgpuMatrix(gpu, rows, cols);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  gpu.device.queue.writeBuffer(x.buffer, 0, padRows(words, rows, cols));
  return x;
}

/** The values, row-major, after all earlier work. @throws {AstroScaleError} `device_lost` */
export async function readMatrix(gpu: Gpu, x: WebgpuMatrix): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await readBytes(gpu, x.buffer, x.rows * x.cols4 * VEC4_BYTES);
  return new Float32Array(unpadRows(new Uint32Array(bytes), x.rows, x.cols).buffer);
}

/**
 * Rows of `cols` words with zeros up to the next multiple of 4, or the words themselves where nothing is to
 * be added. Words, not floats: a float read and written back may lose the bits of its NaN.
 */
export function padRows(
  words: Uint32Array<ArrayBuffer>,
  rows: number,
  cols: number,
): Uint32Array<ArrayBuffer> {
  const padded = Math.ceil(cols / 4) * 4;
  if (padded === cols) return words;
  const result = new Uint32Array(rows * padded);
  for (let r = 0, from = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) result[r * padded + c] = words[from++] ?? 0;
  }
  return result;
}

/** What `padRows` was given, from what it gave. */
export function unpadRows(
  words: Uint32Array<ArrayBuffer>,
  rows: number,
  cols: number,
): Uint32Array<ArrayBuffer> {
  const padded = Math.ceil(cols / 4) * 4;
  if (padded === cols) return words;
  const result = new Uint32Array(rows * cols);
  for (let r = 0, to = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) result[to++] = words[r * padded + c] ?? 0;
  }
  return result;
}
