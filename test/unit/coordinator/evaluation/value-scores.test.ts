import { describe, expect, test } from "vitest";
import { classScorer } from "../../../../coordinator/evaluation/class-scorer.ts";
import { evaluate } from "../../../../coordinator/evaluation/evaluate.ts";
import { valueScorer } from "../../../../coordinator/evaluation/value-scorer.ts";
import { type LocalTraining, localTraining } from "../../../../protocol/local-training.ts";
import type { Activation, Head, ModelSpec } from "../../../../protocol/model.ts";

const training: LocalTraining = localTraining({
  localEpochs: 1,
  batchSize: 1,
  localLearningRate: 1,
  optimizer: { kind: "sgd" },
  huberDelta: 0.5,
});

/** Scores of rows given as `[outputs, target]`. */
function scoreOf(head: Head, rows: readonly (readonly [readonly number[], number])[]): unknown {
  const scorer = valueScorer(head, training);
  for (const [outputs, target] of rows) scorer.add(Float32Array.from(outputs), target);
  return scorer.score();
}

describe("the loss of a regression", () => {
  test("with the head huber is squared up to delta and linear beyond, by hand", () => {
    // Errors 0.25, -0.5 and 3 with delta 0.5: 0.03125, 0.125 and 0.5 * (3 - 0.25) = 1.375.
    expect(
      scoreOf("huber", [
        [[1.25], 1],
        [[1.5], 2],
        [[6], 3],
      ]),
    ).toMatchObject({
      loss: (0.03125 + 0.125 + 1.375) / 3,
      rmse: Math.sqrt((0.0625 + 0.25 + 9) / 3),
      mae: 3.75 / 3,
      r2: 1 - 9.3125 / 2,
    });
  });

  test("with the head gaussian is the negative log-likelihood without its constant, its scores are the mean's", () => {
    // Row 1: sigma 2, s = log 4, error 2. Row 2: sigma 1/2, s = -log 4, error -1.
    const rows = [
      [[3, Math.log(4)], 1],
      [[4, -Math.log(4)], 5],
    ] as const;
    const density = (error: number, sigma: number): number =>
      Math.exp(-(error ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI));
    const likelihood = -(Math.log(density(2, 2)) + Math.log(density(-1, 0.5))) / 2;
    expect(scoreOf("gaussian", rows)).toMatchObject({
      // log 4 as a float32 is off by 2^-24 at most, and exp(-s) multiplies by 4.
      loss: expect.closeTo(likelihood - Math.log(2 * Math.PI) / 2, 6),
      rmse: Math.sqrt(5 / 2),
      mae: 1.5,
      r2: 1 - 5 / 8,
    });
  });

  test.each([
    [-1000, -14],
    [1000, 14],
  ])("with the head gaussian counts a log-variance of %d as %d", (given, counted) => {
    expect(scoreOf("gaussian", [[[0, given], 2]])).toMatchObject({
      loss: (counted + 4 * Math.exp(-counted)) / 2,
    });
  });
});

test("r2 of many targets with a large mean is that of two passes over them", () => {
  const targets = Array.from({ length: 1000 }, (_, i) => 1e8 + Math.sin(i));
  const errors = targets.map((_, i) => 0.1 * Math.cos(3 * i));
  const scorer = valueScorer("mean-squared-error", training);
  const stored = targets.map((target, i) => Math.fround(target + (errors[i] ?? 0)));
  stored.forEach((output, i) => scorer.add(Float32Array.of(output), targets[i] ?? 0));
  const mean = targets.reduce((sum, t) => sum + t, 0) / targets.length;
  const spread = targets.reduce((sum, t) => sum + (t - mean) ** 2, 0);
  const squares = targets.reduce((sum, t, i) => sum + ((stored[i] ?? 0) - t) ** 2, 0);
  // Targets near 1e8 carry 1e8 * 2^-53 = 1e-8 of rounding; both ways' errors of the spread are some thousands of it.
  expect(scorer.score()).toMatchObject({ r2: expect.closeTo(1 - squares / spread, 5) });
});

test("a class's rows are counted by target, by prediction and by both", () => {
  const scorer = classScorer(3, training);
  for (const [guess, target] of [
    [0, 0],
    [0, 1],
    [2, 1],
    [1, 1],
  ] as const) {
    scorer.add(
      Float32Array.from({ length: 3 }, (_, k) => (k === guess ? 1 : 0)),
      target,
    );
  }
  expect(scorer.counts()).toEqual([
    { actual: 1, predicted: 2, hits: 1 },
    { actual: 3, predicted: 1, hits: 1 },
    { actual: 0, predicted: 1, hits: 0 },
  ]);
});

/** `Activation`'s formulae in other words: GELU by the logistic function, tanh by exponentials. */
const ACTIVATIONS: Readonly<Record<Activation, (z: number) => number>> = {
  relu: (z) => (z < 0 ? 0 : z),
  gelu: (z) => z / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z))),
  tanh: (z) => (Math.exp(z) - Math.exp(-z)) / (Math.exp(z) + Math.exp(-z)),
  identity: (z) => z,
};

test.each(["relu", "gelu", "tanh", "identity"] as const)(
  "hidden layers apply %s, the last layer nothing",
  async (activation) => {
    const model: ModelSpec = {
      inputs: 1,
      hidden: [1, 1],
      outputs: 1,
      activation,
      head: "mean-squared-error",
    };
    const x = [-3, -1, -0.25, 0, 0.5, 2];
    // Weight then bias of each layer.
    const parameters = Float32Array.of(1.5, -0.25, -2, 0.5, -1, -0.125);
    const a = ACTIVATIONS[activation];
    const outputs = x.map((value) => -a(-2 * a(1.5 * value - 0.25) + 0.5) - 0.125);
    const score = await evaluate({
      task: { model, training, label: { kind: "value", column: "z", unit: null } },
      parameters,
      preprocessing: { fill: [0], mean: [0], invStd: [1] },
      heldOut: { rows: x.length, x: Float32Array.from(x), targets: Float64Array.from(outputs) },
    });
    // Three layers store values below 16 in float32: 2^-21 each, times weights of at most 2.
    expect(score.kind === "value" && score.mae).toBeLessThan(2 ** -18);
  },
);
