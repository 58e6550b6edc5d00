import { describe, expect, test } from "vitest";
import { firstDifference } from "../../oracle/close.ts";
import type { BackendOf } from "../backend.ts";
import { epochsOf, SGD, train, trainingWith, withTrainer } from "../backend-run.ts";
import { constantRates, inOrder, problem, startAt, uniform, wholes } from "../samples.ts";
import { RULES } from "./optimizers.ts";

const CLASSES = "softmax-cross-entropy";

/** A backend agrees with itself to the bit. */
export function describeRepeats(backend: BackendOf): void {
  const given = problem({ widths: [9, 33, 5], head: CLASSES, rows: 333, seed: 81 });
  const rates = constantRates(333, 50, 0.02);

  describe.each(RULES)("training with $name", ({ optimizer }) => {
    const training = trainingWith(optimizer, 50);

    test("gives the same bits for the same epochs", async () => {
      const terms = {
        proximalMu: 0.1,
        correction: uniform(given.parameters.length, 83, 0.01),
        dropoutSeed: 84,
      };
      const everything = { ...training, dropout: 0.3, l2: 0.01, gradientClipNorm: 0.5 };
      const run = {
        given,
        training: everything,
        epochs: epochsOf(training, [inOrder(333), wholes(333, 333, 82)]),
      };
      const first = await train(backend(), { ...run, terms });
      const second = await train(backend(), { ...run, terms });
      expect(firstDifference(second.parameters, first.parameters)).toBeNull();
      expect(second.losses).toEqual(first.losses);
    });

    test("starts over at load, the optimiser's state included", async () => {
      await withTrainer(backend(), given, training, async (trainer) => {
        const loss = await trainer.epoch(inOrder(333), rates);
        const parameters = await trainer.parameters();
        trainer.load(startAt(given.parameters));
        expect(firstDifference(await trainer.parameters(), given.parameters)).toBeNull();
        expect(await trainer.epoch(inOrder(333), rates)).toBe(loss);
        expect(firstDifference(await trainer.parameters(), parameters)).toBeNull();
      });
    });

    test("is not changed by a gradient between two epochs", async () => {
      const undisturbed = await train(backend(), {
        given,
        training,
        epochs: epochsOf(training, [inOrder(333), inOrder(333)]),
      });
      const parameters = await withTrainer(backend(), given, training, async (trainer) => {
        await trainer.epoch(inOrder(333), rates);
        await trainer.gradient(inOrder(100));
        await trainer.outputs();
        await trainer.epoch(inOrder(333), rates);
        return trainer.parameters();
      });
      expect(firstDifference(parameters, undisturbed.parameters)).toBeNull();
    });
  });

  test("a trainer's parameters are 0 until it is loaded", async () => {
    const x = backend().matrix(given.x, given.rows, given.model.inputs);
    const set = { x, targets: given.targets };
    const trainer = await backend().trainer({ model: given.model, training: SGD, set });
    const parameters = await trainer.parameters();
    trainer.dispose();
    x.dispose();
    expect(firstDifference(parameters, new Float32Array(given.parameters.length))).toBeNull();
  });

  test("a trainer that was prepared for trains as any other", async () => {
    const training = trainingWith({ kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, 50);
    const run = { given, training, epochs: epochsOf(training, [inOrder(333)]) };
    await backend().prepare(given.model, training);
    const prepared = await train(backend(), run);
    await backend().prepare({ ...given.model, hidden: [] }, training);
    expect(firstDifference((await train(backend(), run)).parameters, prepared.parameters)).toBeNull();
  });

  test("two trainers do not disturb each other", async () => {
    const training = trainingWith({ kind: "momentum", momentum: 0.9 }, 50);
    const other = problem({ widths: [4, 6, 2], head: CLASSES, rows: 60, seed: 85 });
    const alone = await train(backend(), { given, training, epochs: epochsOf(training, [inOrder(333)]) });
    await withTrainer(backend(), given, training, (trainer) =>
      withTrainer(backend(), other, training, async (beside) => {
        const losses = await Promise.all([
          trainer.epoch(inOrder(333), rates),
          beside.epoch(inOrder(60), constantRates(60, 50, 0.02)),
        ]);
        expect(losses[0]).toBe(alone.losses[0]);
        expect(firstDifference(await trainer.parameters(), alone.parameters)).toBeNull();
      }),
    );
  });

  test("fifty trainers made and freed one after another all train alike", async () => {
    const small = problem({ widths: [8, 40, 4], head: CLASSES, rows: 300, seed: 86 });
    const training = trainingWith({ kind: "momentum", momentum: 0.9 }, 64);
    const run = { given: small, training, epochs: epochsOf(training, [inOrder(300)]) };
    const first = await train(backend(), run);
    for (let i = 0; i < 50; i++) {
      const { parameters } = await train(backend(), run);
      expect(firstDifference(parameters, first.parameters)).toBeNull();
    }
  });
}
