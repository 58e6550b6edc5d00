import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Backend } from "../../../../client/backend/backend.ts";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import { Activation, Head } from "../../../../protocol/model.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { describeBackend } from "../../../conformance/backend.ts";
import { trainingWith, withTrainer } from "../../../conformance/backend-run.ts";
import { constantRates, inOrder, problem, startAt, uniform } from "../../../conformance/samples.ts";

const bytes = readFileSync(new URL("../../../../wasm/dist/kernels.wasm", import.meta.url));

const freshBackend = async (): Promise<Backend> =>
  createWasmBackend({ kernels: await instantiateKernels(bytes) });

describeBackend("wasm", freshBackend);

const given = problem({
  widths: [7, 64, 32, 3],
  head: "softmax-cross-entropy",
  activation: "gelu",
  rows: 1000,
  seed: 5,
});
const adam = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const training = trainingWith(adam, 300, { dropout: 0.1, gradientClipNorm: 0.5, l2: 0.01 });
const rates = constantRates(1000, 300, 0.01);

/** What a node does with a backend in one round. */
async function round(backend: Backend): Promise<Float32Array<ArrayBuffer>> {
  const columns = [uniform(1000, 1), uniform(1000, 2)];
  const x = backend.encodeFeatures(columns, [
    { plus: 0, minus: null },
    { plus: 0, minus: 1 },
  ]);
  await backend.moments(x);
  backend.impute(x, Float32Array.of(0, 1));
  backend.standardise(x, Float32Array.of(0, 1), Float32Array.of(1, 2));
  await backend.read(x);
  x.dispose();
  return withTrainer(backend, given, training, async (trainer) => {
    trainer.load(startAt(given.parameters, { proximalMu: 1, correction: given.parameters }));
    await trainer.epoch(inOrder(1000), rates);
    await trainer.gradient(inOrder(1000));
    await trainer.outputs();
    return trainer.parameters();
  });
}

describe("wasm backend in its memory", () => {
  test("fifty rounds take the memory of one", async () => {
    const kernels = await instantiateKernels(bytes);
    const backend = await createWasmBackend({ kernels });
    await round(backend);
    const afterOne = kernels.memory.buffer.byteLength;
    for (let i = 1; i < 50; i++) await round(backend);
    expect(kernels.memory.buffer.byteLength).toBe(afterOne);
  });

  test("a memory that grows between two epochs changes nothing", async () => {
    const kernels = await instantiateKernels(bytes);
    const backend = await createWasmBackend({ kernels });
    const train = (disturb: () => void): Promise<Float32Array<ArrayBuffer>> =>
      withTrainer(backend, given, training, async (trainer) => {
        await trainer.epoch(inOrder(1000), rates);
        disturb();
        await trainer.epoch(inOrder(1000), rates);
        return trainer.parameters();
      });
    const undisturbed = await train(() => {});
    const before = kernels.memory.buffer.byteLength;
    const disturbed = await train(() => backend.matrix(new Float32Array(before / 4), before / 4, 1));
    expect(kernels.memory.buffer.byteLength).toBeGreaterThan(before);
    expect(disturbed).toEqual(undisturbed);
  });

  test("a row that is not in the training set is refused as shape_mismatch", async () => {
    const backend = await freshBackend();
    await withTrainer(backend, given, training, async (trainer) => {
      const refusal = { code: "shape_mismatch", message: "row 1000, wanted one below 1000" };
      await expect(trainer.epoch(Uint32Array.of(999, 1000), Float32Array.of(1))).rejects.toMatchObject(
        refusal,
      );
      await expect(trainer.gradient(Uint32Array.of(1000))).rejects.toMatchObject(refusal);
    });
  });

  test("an epoch over no rows takes no step", async () => {
    await withTrainer(await freshBackend(), given, training, async (trainer) => {
      expect(await trainer.epoch(new Uint32Array(0), new Float32Array(0))).toBe(0);
      expect(await trainer.parameters()).toEqual(given.parameters);
    });
  });

  test.each(Head.options.flatMap((head) => Activation.options.map((activation) => ({ head, activation }))))(
    "a parameter that is not a number shows in the loss of $head after $activation",
    async (kinds) => {
      const broken = problem({ widths: [3, 9, 2], rows: 10, ...kinds });
      broken.parameters[1] = Number.NaN;
      await withTrainer(await freshBackend(), broken, training, async (trainer) => {
        expect(await trainer.epoch(inOrder(10), Float32Array.of(0.01))).toBeNaN();
      });
    },
  );

  test("a trainer that memory has no room for is refused as out_of_memory, and others go on", async () => {
    const kernels = await instantiateKernels(bytes);
    const backend = await createWasmBackend({ kernels });
    await withTrainer(backend, given, training, async (trainer) => {
      const before = await trainer.gradient(inOrder(1000));
      // All that is left but 1 MiB is taken behind the heap's back: addresses alone, never touched.
      kernels.memory.grow(65_535 - 16 - kernels.memory.buffer.byteLength / 65_536);
      const wide = problem({ widths: [7, 512, 512, 3], head: given.model.head, rows: 1000 });
      const refused = withTrainer(backend, wide, training, (other) => other.parameters());
      await expect(refused).rejects.toMatchObject({ code: "out_of_memory" });
      expect(await trainer.gradient(inOrder(1000))).toEqual(before);
    });
  });

  test("a backend, a trainer and a matrix say so when they are used after they were disposed", async () => {
    const backend = await freshBackend();
    const x = backend.matrix(given.x, 1000, 7);
    const trainer = await backend.trainer({
      model: given.model,
      training,
      set: { x, targets: given.targets },
    });
    trainer.dispose();
    x.dispose();
    const end = trainer.epoch(inOrder(10), Float32Array.of(1));
    await expect(end).rejects.toThrowError("a trainer was used after it was disposed");
    await expect(backend.read(x)).rejects.toThrowError("a matrix was used after it was disposed");
    backend.dispose();
    expect(() => backend.matrix(given.x, 1000, 7)).toThrowError("a backend was used after it was disposed");
  });
});
