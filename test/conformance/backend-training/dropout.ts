import { describe, expect, test } from "vitest";
import { firstDifference, relativeDistance } from "../../oracle/close.ts";
import type { BackendOf } from "../backend.ts";
import { epochsOf, type Run, train, trainingWith, trainOracle, withTrainer } from "../backend-run.ts";
import { constantRates, inOrder, problem, startAt, wholes } from "../samples.ts";
import { endMismatch } from "./optimizers.ts";

const SGD = { kind: "sgd" } as const;
const given = problem({ widths: [5, 33, 9, 3], head: "softmax-cross-entropy", rows: 70, seed: 71 });
const half = trainingWith(SGD, 64, { dropout: 0.5, localLearningRate: 0.1 });
const seeded = (dropoutSeed: number, orders = [inOrder(70)]): Run => ({
  given,
  training: half,
  epochs: epochsOf(half, orders),
  terms: { dropoutSeed },
});

/** Masks are bits of Philox: with another one anywhere, a step ends elsewhere. */
export function describeDropout(backend: BackendOf): void {
  describe("dropout", () => {
    test.each([0, 1, 0x7fffffff, 0x80000000, 0xffffffff])(
      "of seed %i drops the units that Philox says, in every step of every epoch",
      async (seed) => {
        expect(await endMismatch(backend, seeded(seed, [inOrder(70), wholes(70, 70, 72)]), 1e-5)).toBeNull();
      },
    );

    test.each([0.01, 0.1, 0.25, 0.7, 0.95])("drops a share of %f", async (dropout) => {
      const training = { ...half, dropout };
      expect(
        await endMismatch(
          backend,
          { ...seeded(5), training, epochs: epochsOf(training, [inOrder(70)]) },
          1e-5,
        ),
      ).toBeNull();
    });

    test.each([
      { widths: [3, 1, 2], activation: "relu", rows: 9 },
      { widths: [3, 4, 2], activation: "tanh", rows: 65 },
      { widths: [4, 5, 17, 8, 2], activation: "gelu", rows: 33 },
      { widths: [2, 3, 5, 4, 6, 2, 7, 3, 4, 2], activation: "identity", rows: 7 },
    ] as const)("thins $widths of $activation, and its derivative", async (shape) => {
      const thin = problem({ ...shape, head: "mean-squared-error", seed: 73 });
      const training = trainingWith(SGD, 8, { dropout: 0.5, localLearningRate: 0.05 });
      const epochs = epochsOf(training, [inOrder(thin.rows)]);
      expect(
        await endMismatch(backend, { given: thin, training, epochs, terms: { dropoutSeed: 74 } }, 1e-5),
      ).toBeNull();
    });

    test("does nothing without hidden layers", async () => {
      const linear = problem({ widths: [5, 3], head: "huber", rows: 20, seed: 75 });
      const ends = [0, 0.5].map(async (dropout) => {
        const training = { ...half, dropout };
        return train(backend(), { given: linear, training, epochs: epochsOf(training, [inOrder(20)]) });
      });
      const [without, withDropout] = await Promise.all(ends);
      expect(withDropout?.losses).toEqual(without?.losses);
      expect(withDropout?.parameters).toEqual(without?.parameters);
    });

    test("goes with adam, clipping and the terms", async () => {
      const adam = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-3 } as const;
      const training = trainingWith(adam, 16, { dropout: 0.5, gradientClipNorm: 0.3, l2: 0.01 });
      const terms = { dropoutSeed: 76, proximalMu: 0.5 };
      expect(
        await endMismatch(
          backend,
          { given, training, epochs: epochsOf(training, [inOrder(70)]), terms },
          1e-5,
        ),
      ).toBeNull();
    });

    describeDropoutRepeats(backend);
  });
}

function describeDropoutRepeats(backend: BackendOf): void {
  test("of another seed ends elsewhere", async () => {
    const [first, second] = [await train(backend(), seeded(1)), await train(backend(), seeded(2))];
    expect(relativeDistance(second.parameters, first.parameters)).toBeGreaterThan(1e-3);
  });

  test("of the same seed ends at the same bits", async () => {
    const [first, second] = [await train(backend(), seeded(3)), await train(backend(), seeded(3))];
    expect(firstDifference(second.parameters, first.parameters)).toBeNull();
    expect(second.losses).toEqual(first.losses);
  });

  test("counts steps from the latest load", async () => {
    const fresh = await train(backend(), seeded(4));
    await withTrainer(backend(), given, half, async (trainer) => {
      const rates = constantRates(70, half.batchSize, half.localLearningRate);
      trainer.load(startAt(given.parameters, { dropoutSeed: 4 }));
      await trainer.epoch(inOrder(70), rates);
      trainer.load(startAt(given.parameters, { dropoutSeed: 4 }));
      expect([await trainer.epoch(inOrder(70), rates)]).toEqual(fresh.losses);
      expect(firstDifference(await trainer.parameters(), fresh.parameters)).toBeNull();
    });
  });

  test("is in the steps alone: outputs and gradients have none and count no step", async () => {
    const run = seeded(6, [inOrder(70), inOrder(70)]);
    const expected = trainOracle(run);
    await withTrainer(backend(), given, half, async (trainer) => {
      trainer.load(startAt(given.parameters, { dropoutSeed: 6 }));
      const before = await trainer.outputs();
      await trainer.gradient(inOrder(70));
      expect(firstDifference(await trainer.outputs(), before)).toBeNull();
      const rates = constantRates(70, half.batchSize, half.localLearningRate);
      await trainer.epoch(inOrder(70), rates);
      await trainer.gradient(inOrder(70));
      await trainer.epoch(inOrder(70), rates);
      expect(relativeDistance(await trainer.parameters(), expected.parameters)).toBeLessThan(1e-5);
    });
  });
}
