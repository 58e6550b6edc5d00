import { describe, expect, test } from "vitest";
import type { LocalTraining, Optimizer } from "../../../protocol/local-training.ts";
import { firstDifference, relativeDistance } from "../../oracle/close.ts";
import type { BackendOf } from "../backend.ts";
import { epochsOf, movedFrom, type Run, train, trainingWith, trainOracle } from "../backend-run.ts";
import { inOrder, problem, wholes } from "../samples.ts";

const MOMENTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Every rule, Adam also where its epsilon counts; each with a rate at which a step moves a tenth of a weight. */
export const RULES: readonly {
  readonly name: string;
  readonly rate: number;
  readonly optimizer: Optimizer;
}[] = [
  { name: "sgd", rate: 0.5, optimizer: { kind: "sgd" } },
  { name: "momentum", rate: 0.5, optimizer: { kind: "momentum", momentum: 0.9 } },
  { name: "nesterov", rate: 0.3, optimizer: { kind: "nesterov", momentum: 0.9 } },
  { name: "adam", rate: 0.03, optimizer: { kind: "adam", ...MOMENTS } },
  { name: "adam of a large epsilon", rate: 0.1, optimizer: { kind: "adam", ...MOMENTS, epsilon: 0.01 } },
  { name: "adamw", rate: 0.03, optimizer: { kind: "adamw", ...MOMENTS, weightDecay: 0.5 } },
];

/**
 * Describe what of a run's end is further from float64 than `tolerance`, or give `null`: losses and parameters
 * in Euclidean norm, and ten times as far how they moved, since a step moves about a tenth of them.
 */
export async function endMismatch(backend: BackendOf, run: Run, tolerance: number): Promise<string | null> {
  const found = await train(backend(), run);
  const expected = trainOracle(run);
  const [moved, exact] = [found, expected].map(({ parameters }) => movedFrom(run.given, parameters));
  const distances = {
    losses: relativeDistance(found.losses, expected.losses) / tolerance,
    parameters: relativeDistance(found.parameters, expected.parameters) / tolerance,
    moves: relativeDistance(moved ?? [], exact ?? []) / (10 * tolerance),
  };
  const [first] = Object.entries(distances).filter(([, distance]) => !(distance <= 1));
  return first === undefined ? null : `${first[0]} are ${first[1]} times as far as ${tolerance}`;
}

/** Steps of every optimiser and what they leave behind. */
export function describeOptimizers(backend: BackendOf): void {
  const given = problem({ widths: [7, 33, 18, 3], head: "softmax-cross-entropy", rows: 150, seed: 51 });

  describe.each(RULES)("training with $name", ({ optimizer, rate }) => {
    const inBatchesOf = (batchSize: number, localLearningRate = rate): LocalTraining =>
      trainingWith(optimizer, batchSize, { localLearningRate });

    test("one step ends where float64 does", async () => {
      const training = inBatchesOf(150);
      // A gradient errs by about 1e-6, a parameter by 2^-24 of itself.
      expect(
        await endMismatch(backend, { given, training, epochs: epochsOf(training, [inOrder(150)]) }, 1e-5),
      ).toBeNull();
    });

    test.each([
      { name: "a ragged last batch", rows: 150, batchSize: 32 },
      { name: "a batch larger than the rows", rows: 150, batchSize: 4096 },
      { name: "batches of one row", rows: 12, batchSize: 1 },
      { name: "a last batch of one row", rows: 65, batchSize: 64 },
      { name: "more rows than the training set", rows: 450, batchSize: 100 },
    ])("two local epochs end where float64 does: $name", async ({ rows, batchSize }) => {
      const training = inBatchesOf(batchSize, rate / 10);
      const epochs = epochsOf(training, [wholes(rows, 150, 54), wholes(rows, 150, 52)]);
      // At most 24 steps. Each adds an error of 1e-6 of its move, which the steps after it amplify by less than
      // 1 + rate * curvature < 1.2 each where all are alike: below 1e-4.
      expect(await endMismatch(backend, { given, training, epochs }, 1e-4)).toBeNull();
    });

    test("values are learned as in float64, and the loss falls", async () => {
      const values = problem({ widths: [5, 17, 2], head: "mean-squared-error", rows: 400, seed: 53 });
      const training = inBatchesOf(16, rate / 25);
      const run = { given: values, training, epochs: epochsOf(training, [400, 400, 400].map(inOrder)) };
      const found = await train(backend(), run);
      expect(relativeDistance(found.losses, trainOracle(run).losses)).toBeLessThan(0.01);
      expect(found.losses[2]).toBeLessThan(found.losses[0] ?? 0);
    });
  });

  describeRates(backend);
}

function describeRates(backend: BackendOf): void {
  const given = problem({ widths: [5, 9, 3], head: "huber", rows: 40, seed: 55 });

  test.each(RULES)("every step has its own rate with $name", async ({ optimizer, rate }) => {
    const training = trainingWith(optimizer, 16);
    const epochs = [
      { order: inOrder(40), rates: Float32Array.of(rate, rate / 4, 0) },
      { order: inOrder(17), rates: Float32Array.of(0, rate / 2) },
    ];
    expect(await endMismatch(backend, { given, training, epochs }, 1e-5)).toBeNull();
  });

  test("the training's own learning rate moves nothing, only the step's rate does", async () => {
    const training = trainingWith({ kind: "sgd" }, 16, { localLearningRate: 5 });
    const epochs = [{ order: inOrder(40), rates: new Float32Array(3) }];
    const { parameters } = await train(backend(), { given, training, epochs });
    expect(firstDifference(parameters, given.parameters)).toBeNull();
  });

  test("a unit that never fires keeps its weights under adam", async () => {
    const still = problem({ widths: [3, 5, 2], head: "mean-squared-error", rows: 9, seed: 56 });
    still.parameters[15 + 2] = -100; // the third unit's bias
    const training = trainingWith({ kind: "adam", ...MOMENTS, epsilon: 1e-45 }, 9);
    const run = { given: still, training, epochs: epochsOf(training, [inOrder(9), inOrder(9)]) };
    const moved = movedFrom(still, (await train(backend(), run)).parameters);
    expect([moved[2], moved[7], moved[12], moved[17]]).toEqual([0, 0, 0, 0]);
    expect(moved.every(Number.isFinite)).toBe(true);
  });
}
