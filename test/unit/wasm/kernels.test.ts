import { readFileSync } from "node:fs";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createWasmBackend } from "../../../client/backend/wasm.ts";
import { instantiateKernels, loadKernels } from "../../../wasm/index.ts";
import { SGD, withTrainer } from "../../conformance/backend-run.ts";
import { type Problem, problem } from "../../conformance/samples.ts";

const file = (build: string): URL => new URL(`../../../wasm/dist/${build}.wasm`, import.meta.url);
const bytes = readFileSync(file("kernels"));
const sharedBytes = readFileSync(file("kernels-shared"));

afterEach(() => vi.unstubAllGlobals());

/** Answers every request as the build's files would, and says what was asked for. */
function stubFetch(): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url.slice(url.lastIndexOf("/") + 1));
    return new Response(url.includes("shared") ? sharedBytes : bytes);
  });
  return asked;
}

/** No shared memory may be larger than so many pages. */
function stubAddresses(pages: number): void {
  const { Memory } = WebAssembly;
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function memory(descriptor) {
    if (descriptor.shared === true && (descriptor.maximum ?? 0) > pages) throw new RangeError("no addresses");
    return new Memory(descriptor);
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

describe("the kernels' module", () => {
  test("needs nothing from its host", async () => {
    expect(WebAssembly.Module.imports(await WebAssembly.compile(bytes))).toEqual([]);
  });

  test.each([
    { relaxed: false, shared: false, asked: "kernels.wasm" },
    { relaxed: true, shared: false, asked: "kernels-relaxed.wasm" },
    { relaxed: false, shared: true, asked: "kernels-shared.wasm" },
    { relaxed: true, shared: true, asked: "kernels-relaxed-shared.wasm" },
  ])("is fetched from where the build put it: $asked", async ({ asked, ...build }) => {
    const urls = stubFetch();
    const kernels = await loadKernels(build);
    expect(urls).toEqual([asked]);
    expect(kernels.heapBase()).toBeLessThan(kernels.memory.buffer.byteLength);
    expect(kernels.memory.buffer instanceof SharedArrayBuffer).toBe(build.shared);
  });

  test("that is not there is an error that names it", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 404 }));
    await expect(loadKernels({ relaxed: false, shared: false })).rejects.toThrowError(
      /kernels\.wasm answered 404/,
    );
  });

  test("shares a smaller memory where there are fewer addresses", async () => {
    stubAddresses(8192);
    const { memory } = await instantiateKernels(sharedBytes);
    expect(() => memory.grow(8192)).toThrowError(RangeError);
    expect(memory.grow(1)).toBe(16);
  });

  test("is the build of one thread where there are no addresses for a shared memory", async () => {
    stubAddresses(0);
    const asked = stubFetch();
    const { device } = await createWasmBackend({ threads: 2 });
    expect(device).toMatch(/, 1 thread$/);
    expect(asked).toEqual([expect.stringMatching(/-shared\.wasm$/), expect.not.stringContaining("shared")]);
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
    const backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
    const { gradient } = await withTrainer(backend, given, SGD, (trainer) =>
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
