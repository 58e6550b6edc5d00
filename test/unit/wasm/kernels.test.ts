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

  test("computes exponentials to 2^-22 down to e^-64, and 0 below", async () => {
    const logits = Float32Array.from({ length: 2048 }, (_, c) => (c === 0 ? 0 : (-c * 80) / 2048));
    // One row with input 0: the logits are the biases, and the gradient of a bias is its probability.
    const shape = { widths: [1, 2048], head: "softmax-cross-entropy", rows: 1 } as const;
    const given: Problem = {
      ...problem(shape),
      x: Float32Array.of(0),
      targets: { kind: "class", classes: Uint32Array.of(0) },
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
    const sum = logits.reduce((total, z) => total + Math.exp(z), 0);
    const worst = logits.slice(1).reduce((most, z, c) => {
      const p = gradient[2048 + 1 + c] ?? 0;
      if (z < -64) return Math.max(most, p === 0 ? 0 : 1);
      return Math.max(most, Math.abs((p * sum) / Math.exp(z) - 1));
    }, 0);
    // The sum of 2048 terms by fours and its reciprocal add their own roundings: a few times 2^-24 here.
    expect(worst).toBeLessThan(2 ** -22 + 2 ** -22);
  });
});
