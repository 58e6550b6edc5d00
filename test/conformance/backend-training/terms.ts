import { describe, expect, test } from "vitest";
import { firstDifference } from "../../oracle/close.ts";
import { lossGradient } from "../../oracle/network.ts";
import type { BackendOf } from "../backend.ts";
import { epochsOf, movedFrom, type Run, train, trainingWith, withTrainer } from "../backend-run.ts";
import { constantRates, inOrder, problem, startAt, uniform, wholes } from "../samples.ts";
import { endMismatch, RULES } from "./optimizers.ts";

const given = problem({
  widths: [5, 17, 6, 3],
  head: "mean-squared-error",
  rows: 60,
  activation: "tanh",
  seed: 61,
});
const correction = uniform(given.parameters.length, 62, 0.3);
const SGD = { kind: "sgd" } as const;

function normOf(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

/** `|g|` of the first step over all rows. */
const norm = normOf(lossGradient(given.network, given.parameters, given.examples, inOrder(60)).gradient);

/** One step over all rows at rate 0.1. */
function oneStep(training: Parameters<typeof trainingWith>[2], terms: Run["terms"] = {}): Run {
  const all = trainingWith(SGD, 60, { localLearningRate: 0.1, ...training });
  return { given, training: all, epochs: epochsOf(all, [inOrder(60)]), terms };
}

/** Clipping and what is added to a step's gradient. */
export function describeTerms(backend: BackendOf): void {
  describe("clipping", () => {
    describeClipping(backend);
  });

  describe("what is added to the gradient", () => {
    test("is l2 of every parameter, biases too", async () => {
      expect(await endMismatch(backend, oneStep({ l2: 0.5 }), 1e-5)).toBeNull();
    });

    test("is the correction", async () => {
      expect(await endMismatch(backend, oneStep({}, { correction }), 1e-5)).toBeNull();
    });

    test("is no proximal term in the first step, and draws back in those after it", async () => {
      const plain = await train(backend(), oneStep({}));
      const held = await train(backend(), oneStep({}, { proximalMu: 3 }));
      expect(firstDifference(held.parameters, plain.parameters)).toBeNull();
      const run = oneStep({ batchSize: 16 }, { proximalMu: 3 });
      const epochs = epochsOf(run.training, [inOrder(60), wholes(60, 60, 63)]);
      expect(await endMismatch(backend, { ...run, epochs }, 1e-5)).toBeNull();
    });

    test("is not clipped with it", async () => {
      expect(
        await endMismatch(backend, oneStep({ gradientClipNorm: norm / 8, l2: 0.5 }, { correction }), 1e-5),
      ).toBeNull();
    });

    test.each(RULES)("goes through the optimiser: $name", async ({ optimizer, rate }) => {
      const terms = { gradientClipNorm: norm / 2, l2: 0.1, localLearningRate: rate / 10 };
      const training = trainingWith(optimizer, 16, terms);
      const epochs = epochsOf(training, [inOrder(60), wholes(50, 60, 64)]);
      expect(
        await endMismatch(backend, { given, training, epochs, terms: { proximalMu: 0.7, correction } }, 1e-4),
      ).toBeNull();
    });

    test("is not in the loss", async () => {
      const plain = await train(backend(), oneStep({}));
      const all = oneStep({ gradientClipNorm: norm / 2, l2: 2 }, { correction, proximalMu: 5 });
      expect((await train(backend(), all)).losses).toEqual(plain.losses);
    });

    test("is forgotten by the next load", async () => {
      const run = oneStep({});
      const plain = await train(backend(), run);
      const after = await withTrainer(backend(), given, run.training, async (trainer) => {
        const rates = constantRates(60, 60, 0.1);
        const elsewhere = uniform(given.parameters.length, 65);
        trainer.load(startAt(elsewhere, { correction, proximalMu: 2, dropoutSeed: 9 }));
        await trainer.epoch(inOrder(60), rates);
        trainer.load(startAt(given.parameters));
        await trainer.epoch(inOrder(60), rates);
        return trainer.parameters();
      });
      expect(firstDifference(after, plain.parameters)).toBeNull();
    });

    test("holds to the latest load's parameters", async () => {
      const run = oneStep({ batchSize: 16 }, { proximalMu: 3 });
      const [epoch] = run.epochs;
      if (epoch === undefined) throw new Error("unreachable: the run has an epoch");
      const fresh = await train(backend(), run);
      const after = await withTrainer(backend(), given, run.training, async (trainer) => {
        trainer.load(startAt(uniform(given.parameters.length, 66), { proximalMu: 3 }));
        await trainer.epoch(epoch.order, epoch.rates);
        trainer.load(startAt(given.parameters, { proximalMu: 3 }));
        await trainer.epoch(epoch.order, epoch.rates);
        return trainer.parameters();
      });
      expect(firstDifference(after, fresh.parameters)).toBeNull();
    });
  });
}

function describeClipping(backend: BackendOf): void {
  test("scales a longer gradient down to its norm", async () => {
    const run = oneStep({ gradientClipNorm: norm / 4 });
    expect(await endMismatch(backend, run, 1e-5)).toBeNull();
    const moved = normOf(movedFrom(given, (await train(backend(), run)).parameters));
    // A rate of 0.1, and every parameter rounded to 2^-24 of itself.
    expect(Math.abs(moved / (0.1 * (norm / 4)) - 1)).toBeLessThan(1e-5);
  });

  test("leaves a shorter gradient as it is, to the bit", async () => {
    const plain = await train(backend(), oneStep({}));
    const clipped = await train(backend(), oneStep({ gradientClipNorm: 1.001 * norm }));
    expect(firstDifference(clipped.parameters, plain.parameters)).toBeNull();
  });

  test("at exactly the gradient's norm changes nothing but a rounding", async () => {
    expect(await endMismatch(backend, oneStep({ gradientClipNorm: norm }), 1e-5)).toBeNull();
  });

  test("of each batch is by that batch's own gradient", async () => {
    const run = oneStep({ gradientClipNorm: norm / 3, batchSize: 7 });
    expect(
      await endMismatch(backend, { ...run, epochs: epochsOf(run.training, [inOrder(60)]) }, 1e-5),
    ).toBeNull();
  });

  test("of a gradient of 0 is 0", async () => {
    const classes = problem({ widths: [4, 5, 3], head: "softmax-cross-entropy", rows: 9, seed: 67 });
    const training = trainingWith(SGD, 9, { gradientClipNorm: 1, classWeights: [0, 0, 0] });
    const run = { given: classes, training, epochs: epochsOf(training, [inOrder(9)]) };
    const { losses, parameters } = await train(backend(), run);
    expect(losses).toEqual([0]);
    expect(firstDifference(parameters, classes.parameters)).toBeNull();
  });
}
