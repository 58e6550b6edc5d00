import { expect, test } from "vitest";
import type { HeldOutSet } from "../../../../coordinator/catalogs/catalog.ts";
import { evaluate } from "../../../../coordinator/evaluation/evaluate.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import { initialise, type ModelSpec } from "../../../../protocol/model.ts";
import type { FittedPreprocessing } from "../../../../protocol/preprocessing.ts";
import { randomStream } from "../../../../protocol/random.ts";

const FEATURES = 5;
const training = localTraining({
  localEpochs: 1,
  batchSize: 1,
  localLearningRate: 1,
  optimizer: { kind: "sgd" },
});

/** A value in float64 and how far a layer stored in float32 may be from it. */
interface Judged {
  readonly value: number;
  readonly bound: number;
}

/** Storing rounds by 2^-24 of the value; twice that leaves room for the float64 sums. */
const stored = (value: number, bound: number): Judged => ({
  value,
  bound: bound + 2 ** -23 * (Math.abs(value) + bound),
});

/** All in float64, from the formulas: `h W + b` with the weight before the bias, `relu` but for the last layer. */
function oracleOutputs(model: ModelSpec, parameters: readonly number[], x: readonly number[]): Judged[] {
  let at = 0;
  let h = x.map((value) => stored(value, 0));
  const widths = [...model.hidden, model.outputs];
  widths.forEach((width, l) => {
    const start = at;
    const inputs = h;
    const unit = (o: number): Judged => {
      const weights = inputs.map((_, i) => parameters[start + i * width + o] ?? Number.NaN);
      const bias = parameters[start + inputs.length * width + o] ?? Number.NaN;
      const sum = inputs.reduce((total, { value }, i) => total + value * (weights[i] ?? 0), bias);
      const bound = inputs.reduce((total, entry, i) => total + entry.bound * Math.abs(weights[i] ?? 0), 0);
      return stored(l === widths.length - 1 ? sum : Math.max(sum, 0), bound);
    };
    h = Array.from({ length: width }, (_, o) => unit(o));
    at += (inputs.length + 1) * width;
  });
  return h;
}

const preprocessing: FittedPreprocessing = {
  fill: [0.5, -1, 2, 0, 3],
  mean: [0.25, -1, 1.5, 0.125, 3],
  invStd: [2, 0.5, 1, 4, 0.75],
};

function heldOutRows(rows: number, targets: (next: () => number) => number): HeldOutSet {
  const next = randomStream(11, 1);
  const uniform = (): number => next() / 2 ** 31 - 1;
  // One value in ten is missing.
  const x = Float32Array.from({ length: rows * FEATURES }, () =>
    next() % 10 === 0 ? Number.NaN : uniform() * 3,
  );
  return { rows, x, targets: Float64Array.from({ length: rows }, () => targets(next)) };
}

function oracleRows(model: ModelSpec, parameters: Float32Array, { rows, x }: HeldOutSet): Judged[][] {
  const { fill, mean, invStd } = preprocessing;
  return Array.from({ length: rows }, (_, row) => {
    const raw = [...x.subarray(row * FEATURES, (row + 1) * FEATURES)];
    const z = raw.map((value, f) => {
      const present = Number.isNaN(value) ? (fill[f] ?? 0) : value;
      return (present - (mean[f] ?? 0)) * (invStd[f] ?? 0);
    });
    return oracleOutputs(model, [...parameters], z);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

const largest = (values: readonly number[]): number => values.reduce((most, v) => Math.max(most, v), 0);

/** How far any output may be from the oracle's. */
const boundOf = (outputs: readonly Judged[][]): number => largest(outputs.flat().map(({ bound }) => bound));

test("class scores agree with a float64 oracle over random rows and weights", async () => {
  const classes = ["a", "b", "c", "d"];
  const model: ModelSpec = {
    inputs: FEATURES,
    hidden: [16, 7],
    outputs: classes.length,
    activation: "relu",
    head: "softmax-cross-entropy",
  };
  const parameters = initialise(model, 3).map((value, i) => value + 0.01 * Math.sin(i));
  // No row has class d, and some are predicted to be it.
  const heldOut = heldOutRows(400, (next) => next() % 3);
  const judged = oracleRows(model, parameters, heldOut);
  const outputs = judged.map((row) => row.map(({ value }) => value));
  const guesses = outputs.map((z) => z.indexOf(Math.max(...z)));
  const targets = [...heldOut.targets];
  const margins = outputs.map((z) => {
    const [first = 0, second = 0] = z.toSorted((a, b) => b - a);
    return first - second;
  });
  // Otherwise a rounding could change a prediction.
  expect(Math.min(...margins)).toBeGreaterThan(2 * boundOf(judged));

  const f1 = classes.map((_, k) => {
    const both = targets.filter((t, r) => t === k && guesses[r] === k).length;
    const precision = both / guesses.filter((g) => g === k).length;
    const recall = both / targets.filter((t) => t === k).length;
    return both === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  });
  const losses = outputs.map((z, r) => {
    const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
    return -Math.log(Math.exp(z[targets[r] ?? 0] ?? 0) / total);
  });

  const score = await evaluate({
    task: { model, training, label: { kind: "class", column: "c", classes } },
    parameters,
    preprocessing,
    heldOut,
  });

  expect(score).toMatchObject({ accuracy: mean(targets.map((t, r) => (t === guesses[r] ? 1 : 0))) });
  expect(score).toMatchObject({ macroF1: expect.closeTo(mean(f1), 12) });
  const { loss } = score;
  // The cross-entropy changes by at most twice what an output changes by.
  expect(Math.abs(loss - mean(losses))).toBeLessThan(2 * boundOf(judged));
});

test("value scores agree with a float64 oracle over random rows and weights", async () => {
  const model: ModelSpec = {
    inputs: FEATURES,
    hidden: [16, 8],
    outputs: 1,
    activation: "relu",
    head: "mean-squared-error",
  };
  const parameters = initialise(model, 5).map((value, i) => value + 0.01 * Math.sin(i));
  const heldOut = heldOutRows(300, (next) => next() / 2 ** 31 - 1);
  const targets = [...heldOut.targets];
  const judged = oracleRows(model, parameters, heldOut);
  const errors = judged.map(([output], r) => (output?.value ?? Number.NaN) - (targets[r] ?? 0));
  const squared = mean(errors.map((e) => e * e));
  const variance = mean(targets.map((t) => (t - mean(targets)) ** 2));

  const score = await evaluate({
    task: { model, training, label: { kind: "value", column: "z", unit: null } },
    parameters,
    preprocessing,
    heldOut,
  });

  // An error's square changes by at most 2 |e| + bound times what its output changes by; rmse and r2 then divide
  // that by what is above 0.1 here.
  const bound = mean(errors.map((e, r) => (2 * Math.abs(e) + 1) * (judged[r]?.[0]?.bound ?? Number.NaN)));
  expect(Math.min(squared, variance)).toBeGreaterThan(0.1);
  const wanted = {
    loss: squared,
    rmse: Math.sqrt(squared),
    mae: mean(errors.map(Math.abs)),
    r2: 1 - squared / variance,
  };
  const found = new Map(Object.entries(score));
  const far = Object.entries(wanted).filter(
    ([name, value]) => !(Math.abs(Number(found.get(name)) - value) < 10 * bound),
  );
  expect(far).toEqual([]);
  // The bound itself says something.
  expect(10 * bound).toBeLessThan(1e-3 * squared);
});
