import type { InferenceSession } from "onnxruntime-web";
import webgpuModuleUrl from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import webgpuWasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url";
import moduleUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import type { BackendName } from "../../../protocol/nodes.ts";
import type { Contestant } from "../contest.ts";
import { perceptronFile, productFile } from "../onnx-file.ts";
import type { Problem } from "../problem.ts";
import type { MultiplierSide, Product } from "../products.ts";

/** Where a session runs. */
export interface SessionWish {
  readonly backend: BackendName;
  /** Threads its WebAssembly may use. */
  readonly threads: number;
}

/** A matrix a session is given. */
export interface SessionInput {
  readonly values: Float32Array;
  readonly shape: readonly [number, number];
}

/** A session of a model's file and its inputs, by name. `run` gives output `y`. */
export interface OpenSession {
  run(): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** onnxruntime-web with a model loaded; inputs are handed over at every run, as its users do. */
export async function openSession(
  file: Uint8Array,
  given: Readonly<Record<string, SessionInput>>,
  { backend, threads }: SessionWish,
): Promise<OpenSession> {
  const ort =
    backend === "wasm" ? await import("onnxruntime-web/wasm") : await import("onnxruntime-web/webgpu");
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths =
    backend === "wasm"
      ? { mjs: absolute(moduleUrl), wasm: absolute(wasmUrl) }
      : { mjs: absolute(webgpuModuleUrl), wasm: absolute(webgpuWasmUrl) };
  ort.env.logLevel = "error";
  const session: InferenceSession = await ort.InferenceSession.create(file, {
    executionProviders: [backend],
  });
  const feeds = Object.fromEntries(
    Object.entries(given).map(([name, { values, shape }]) => [
      name,
      new ort.Tensor("float32", values, shape),
    ]),
  );
  return {
    async run() {
      const { y } = await session.run(feeds);
      if (!y) throw new Error("the model has no output y");
      return (await y.getData()) as Float32Array;
    },
    dispose: () => session.release(),
  };
}

function absolute(url: string): string {
  return new URL(url, location.href).href;
}

/** Outputs of all rows in the memory of JavaScript. @param keep gets every result */
export async function onnxInference(
  backend: BackendName,
  { model, rows, x, parameters }: Problem,
  keep: (outputs: Float32Array) => void,
): Promise<Contestant> {
  const session = await openSession(
    perceptronFile(model, parameters, rows),
    { x: { values: x, shape: [rows, model.inputs] } },
    { backend, threads: navigator.hardwareConcurrency },
  );
  return {
    async once() {
      const values = await session.run();
      keep(values);
      return values[0] ?? Number.NaN;
    },
    dispose: () => void session.dispose(),
  };
}

/** A graph of one `Gemm` on one thread; both operands are handed over and the result copied out at every run. */
export async function onnxProduct({ a, b, transposeA, transposeB }: Product): Promise<MultiplierSide> {
  const file = productFile({ a: a.shape, b: b.shape, transposeA, transposeB });
  const session = await openSession(file, { a, b }, { backend: "wasm", threads: 1 });
  let last = new Float32Array() as Float32Array;
  return {
    async once() {
      last = await session.run();
      return 0;
    },
    result: async () => last,
    dispose: () => void session.dispose(),
  };
}
