import { describe, expect, test } from "vitest";
import { TaskSpec } from "../../../protocol/tasks.ts";

const TASK = {
  id: "sdss-class",
  title: "Star, galaxy or quasar from photometry",
  description: "",
  catalog: "sdss-dr14",
  features: [
    { name: "r", plus: "r", minus: null },
    { name: "u-g", plus: "u", minus: "g" },
  ],
  label: { kind: "class", column: "class", classes: ["STAR", "GALAXY", "QSO"] },
  model: { inputs: 2, hidden: [8], outputs: 3, activation: "relu", head: "softmax-cross-entropy" },
  training: { localEpochs: 2, batchSize: 64, localLearningRate: 0.05, optimizer: { kind: "sgd" } },
  strategy: { kind: "fedavg" },
  rules: {
    rounds: 10,
    minNodes: 2,
    maxNodes: 10,
    roundDeadlineSecs: 60,
    roundIntervalSecs: 0,
    maxUpdateNorm: 100,
  },
  seed: 1,
  baselineOf: null,
};
const VALUE_LABEL = { kind: "value", column: "Z", unit: null };
const VALUE_MODEL = { ...TASK.model, outputs: 1, head: "mean-squared-error" };

/** Messages of what is wrong, each after its path. */
function problems(change: Readonly<Record<string, unknown>>): string[] {
  const { error } = TaskSpec.safeParse({ ...TASK, ...change });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("a task", () => {
  test("is read as it is, with its defaults filled in", () => {
    const training = {
      schedule: { kind: "constant" },
      classWeights: null,
      huberDelta: 1,
      dropout: 0,
      l2: 0,
      gradientClipNorm: null,
      updateClipNorm: null,
      ...TASK.training,
    };
    expect(TaskSpec.parse(TASK)).toEqual({ ...TASK, training });
  });

  test("may predict a value", () => {
    expect(problems({ label: VALUE_LABEL, model: VALUE_MODEL })).toEqual([]);
  });

  test("has as many inputs as features", () => {
    expect(problems({ model: { ...TASK.model, inputs: 3 } })).toEqual([
      "model.inputs: 3 inputs, the task has 2 features",
    ]);
  });

  test("has an output a class, or one for a value", () => {
    expect(problems({ model: { ...TASK.model, outputs: 2 } })).toEqual([
      "model.outputs: 2 outputs, wanted 3",
    ]);
    expect(problems({ label: VALUE_LABEL, model: { ...VALUE_MODEL, outputs: 3 } })).toEqual([
      "model.outputs: 3 outputs, wanted 1",
    ]);
  });

  test("has the head of its label", () => {
    expect(problems({ model: { ...TASK.model, head: "mean-squared-error" } })).toEqual([
      'model.head: head "mean-squared-error", a class label needs "softmax-cross-entropy"',
    ]);
    expect(
      problems({ label: VALUE_LABEL, model: { ...VALUE_MODEL, head: "softmax-cross-entropy" } }),
    ).toEqual([
      'model.head: head "softmax-cross-entropy", a value label needs "mean-squared-error" or "huber" or "gaussian"',
    ]);
  });

  test("with a Gaussian head has a mean and a log-variance", () => {
    expect(problems({ label: VALUE_LABEL, model: { ...VALUE_MODEL, head: "gaussian", outputs: 2 } })).toEqual(
      [],
    );
    expect(problems({ label: VALUE_LABEL, model: { ...VALUE_MODEL, head: "gaussian", outputs: 4 } })).toEqual(
      ["model.outputs: 4 outputs, wanted 2"],
    );
    expect(problems({ label: VALUE_LABEL, model: { ...VALUE_MODEL, head: "gaussian" } })).toEqual([
      'model.outputs: 1 outputs, head "gaussian" needs a mean and a log-variance for each target',
    ]);
  });

  test("weighs every class, or none", () => {
    expect(problems({ training: { ...TASK.training, classWeights: [1, 2, 0.5] } })).toEqual([]);
    expect(problems({ training: { ...TASK.training, classWeights: [1, 2] } })).toEqual([
      "training.classWeights: 2 class weights, wanted 3",
    ]);
    const training = { ...TASK.training, classWeights: [1] };
    expect(problems({ label: VALUE_LABEL, model: VALUE_MODEL, training })).toEqual([
      "training.classWeights: class weights, the label is a value",
    ]);
  });

  test("lets at least as many nodes take part as it needs", () => {
    expect(problems({ rules: { ...TASK.rules, maxNodes: 1 } })).toEqual([
      "rules.maxNodes: maxNodes 1 is below minNodes 2",
    ]);
    expect(problems({ rules: { ...TASK.rules, minNodes: 10 } })).toEqual([]);
  });

  test("tells all that is wrong at once", () => {
    const model = { ...TASK.model, inputs: 9, outputs: 9 };
    expect(problems({ model, rules: { ...TASK.rules, maxNodes: 1 } })).toHaveLength(3);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ["an id that is no slug", { id: "SDSS class" }],
    ["an id that climbs", { id: ".." }],
    ["no features", { features: [], model: { ...TASK.model, inputs: 0 } }],
    ["one class", { label: { ...TASK.label, classes: ["STAR"] }, model: { ...TASK.model, outputs: 1 } }],
    ["a seed beyond 32 bits", { seed: 2 ** 32 }],
    ["a negative learning rate", { training: { ...TASK.training, localLearningRate: -0.05 } }],
    [
      "an infinite learning rate",
      { training: { ...TASK.training, localLearningRate: Number.POSITIVE_INFINITY } },
    ],
    ["no local epochs", { training: { ...TASK.training, localEpochs: 0 } }],
    ["momentum 1", { training: { ...TASK.training, optimizer: { kind: "momentum", momentum: 1 } } }],
    ["an unknown optimiser", { training: { ...TASK.training, optimizer: { kind: "lion" } } }],
    ["an unknown strategy", { strategy: { kind: "median" } }],
    ["a negative interval", { rules: { ...TASK.rules, roundIntervalSecs: -1 } }],
    ["a deadline of zero seconds", { rules: { ...TASK.rules, roundDeadlineSecs: 0 } }],
    ["an unknown key", { colour: "blue" }],
  ])("is refused for %s", (_what, change) => {
    expect(problems(change)).not.toEqual([]);
  });
});
