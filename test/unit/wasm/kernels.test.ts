import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createWasmBackend } from "../../../client/backend/wasm.ts";
import { instantiateKernels, loadKernels } from "../../../wasm/index.ts";
import { withTrainer } from "../../conformance/backend-gradients.ts";
import { type Problem, problem } from "../../conformance/samples.ts";

const bytes = readFileSync(new URL("../../../wasm/dist/kernels.wasm", import.meta.url));

afterEach(() => vi.unstubAllGlobals());

describe("the kernels' module", () => {
  test("needs nothing from its host", async () => {
    expect(WebAssembly.Module.imports(await WebAssembly.compile(bytes))).toEqual([]);
  });

  test("is fetched from where the build put it", async () => {
    const fetched = vi.fn<(url: string) => Promise<Response>>(async () => new Response(bytes));
    vi.stubGlobal("fetch", fetched);
    const kernels = await loadKernels();
    expect(fetched).toHaveBeenCalledWith(expect.stringMatching(/kernels\.wasm$/));
    expect(kernels.heapBase()).toBeLessThan(kernels.memory.buffer.byteLength);
  });

  test("that is not there is an error that names it", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
    await expect(loadKernels()).rejects.toThrowError(/kernels\.wasm answered 404/);
  });

  test("computes exponentials to 2^-23 down to e^-64, and 0 below", async () => {
    const logits = Float32Array.from({ length: 2048 }, (_, c) => (c === 0 ? 0 : (-c * 80) / 2048));
    // One row with input 0: the logits are the biases, and the gradient of a bias is its probability (but for
    // the last, the row's class). The first logit is the largest, its exponential 1: ratios to it are exponentials.
    const shape = { widths: [1, 2048], head: "softmax-cross-entropy", rows: 1 } as const;
    const given: Problem = {
      ...problem(shape),
      x: Float32Array.of(0),
      targets: { kind: "class", classes: Uint32Array.of(2047) },
      parameters: Float32Array.of(...new Float32Array(2048), ...logits),
    };
    const backend = await createWasmBackend(await instantiateKernels(bytes));
    const training = {
      localEpochs: 1,
      batchSize: 1,
      localLearningRate: 1,
      optimizer: { kind: "sgd" },
    } as const;
    const { gradient } = await withTrainer(backend, given, training, (trainer) =>
      trainer.gradient(Uint32Array.of(0)),
    );
    const probabilities = gradient.subarray(2048);
    const worst = logits.slice(0, 2047).reduce((most, z, c) => {
      const ratio = (probabilities[c] ?? 0) / (probabilities[0] ?? 0);
      if (z < -64) return Math.max(most, ratio === 0 ? 0 : 1);
      return Math.max(most, Math.abs(ratio / Math.exp(z) - 1));
    }, 0);
    // The kernel's own bound, and one rounding of the product with 1 / sum.
    expect(worst).toBeLessThan(2 ** -23 + 2 ** -24);
  });
});
