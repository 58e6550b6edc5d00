import { describe, expect, test } from "vitest";
import { type Evaluation, evaluate } from "../../../../coordinator/evaluation/evaluate.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import { initialise, type ModelSpec, parameterCount } from "../../../../protocol/model.ts";
import type { FittedPreprocessing } from "../../../../protocol/preprocessing.ts";
import type { Label } from "../../../../protocol/tasks.ts";

const CLASSES = ["star", "galaxy", "quasar", "unknown"];

const classLabel = (count: number): Label => ({
  kind: "class",
  column: "class",
  classes: CLASSES.slice(0, count),
});
const training = localTraining({
  localEpochs: 1,
  batchSize: 1,
  localLearningRate: 1,
  optimizer: { kind: "sgd" },
});
const valueLabel: Label = { kind: "value", column: "z", unit: null };

/** Preprocessing that leaves `width` features as they are. */
function unscaled(width: number): FittedPreprocessing {
  const all = (value: number): number[] => Array.from({ length: width }, () => value);
  return { fill: all(0), mean: all(0), invStd: all(1) };
}

/** Outputs equal the inputs: no hidden layer, identity weight, no bias, no scaling. */
function identity(
  label: Label,
  rows: readonly (readonly number[])[],
  targets: readonly number[],
): Evaluation {
  const width = label.kind === "class" ? label.classes.length : 1;
  const parameters = new Float32Array((width + 1) * width);
  for (let i = 0; i < width; i++) parameters[i * width + i] = 1;
  return {
    task: {
      label,
      training,
      model: {
        inputs: width,
        hidden: [],
        outputs: width,
        activation: "relu",
        head: label.kind === "class" ? "softmax-cross-entropy" : "mean-squared-error",
      },
    },
    parameters,
    preprocessing: unscaled(width),
    heldOut: { rows: rows.length, x: Float32Array.from(rows.flat()), targets: Float64Array.from(targets) },
  };
}

/** Rows whose largest input, and so output, is at the wanted class. */
function predicting(predictions: readonly number[], classes: number): number[][] {
  return predictions.map((guess) => Array.from({ length: classes }, (_, k) => (k === guess ? 2 : 0)));
}

/** As `identity`, with a hidden layer of the same width before the output. */
function withHidden(evaluation: Evaluation): Evaluation {
  const { task, parameters } = evaluation;
  const model = { ...task.model, hidden: [task.model.inputs] };
  return {
    ...evaluation,
    task: { ...task, model },
    parameters: Float32Array.from([...parameters, ...parameters]),
  };
}

describe("scores of classes", () => {
  test("accuracy and macro F1 are those of the confusion matrix by hand", async () => {
    const rows = predicting([0, 0, 1, 1, 2, 2], 3);
    // F1: class 0 = 4/5 (TP 2, FN 1), class 1 = 2/4 (TP 1, FP 1, FN 1), class 2 = 2/3 (TP 1, FP 1).
    const score = await evaluate(identity(classLabel(3), rows, [0, 0, 0, 1, 1, 2]));
    expect(score).toMatchObject({ kind: "class", accuracy: 4 / 6 });
    expect(score).toMatchObject({ macroF1: expect.closeTo((4 / 5 + 1 / 2 + 2 / 3) / 3, 14) });
  });

  test("a class that is neither target nor prediction counts as 0 in macro F1", async () => {
    // scikit-learn: f1_score([0, 1, 1], [0, 1, 0], labels=range(4), average="macro", zero_division=0)
    const score = await evaluate(identity(classLabel(4), predicting([0, 1, 0], 4), [0, 1, 1]));
    expect(score).toMatchObject({ macroF1: expect.closeTo((2 / 3 + 2 / 3) / 4, 14), accuracy: 2 / 3 });
  });

  test("the loss is the mean cross-entropy in nats, by hand", async () => {
    const rows = [
      [0, 0],
      [Math.log(3), 0],
    ];
    // Probabilities of the targets: 1/2 and 1/4. log 3 as a float32 is off by 2^-25 at most.
    const score = await evaluate(identity(classLabel(2), rows, [1, 1]));
    expect(score).toMatchObject({ loss: expect.closeTo((Math.log(2) + Math.log(4)) / 2, 7) });
  });

  test("of equal outputs the first is the prediction", async () => {
    const rows = [
      [0, 1, 1],
      [5, 5, 5],
    ];
    expect(await evaluate(identity(classLabel(3), rows, [1, 0]))).toMatchObject({ accuracy: 1 });
  });

  test("outputs at float32's ends neither overflow the loss nor make it NaN", async () => {
    const rows = [
      [3e38, -3e38],
      [-3e38, 3e38],
    ];
    expect(await evaluate(identity(classLabel(2), rows, [0, 1]))).toMatchObject({ loss: 0, accuracy: 1 });
  });

  test("a class's weight is the factor of its rows' losses, and of nothing else", async () => {
    const plain = identity(
      classLabel(2),
      [
        [0, 0],
        [Math.log(3), 0],
        [0, 0],
      ],
      [1, 1, 0],
    );
    const weighted = { ...plain.task, training: { ...training, classWeights: [5, 0.5] } };
    // Probabilities of the targets: 1/2, 1/4 and 1/2; the sum is divided by three rows, not by the weights' 6.
    const loss = (0.5 * Math.log(2) + 0.5 * Math.log(4) + 5 * Math.log(2)) / 3;
    expect(await evaluate({ ...plain, task: weighted })).toMatchObject({
      loss: expect.closeTo(loss, 7),
      accuracy: 1 / 3,
    });
  });

  test.each([-1, 2, 0.5, Number.NaN])("a target of %d for two classes is invalid_request", async (target) => {
    await expect(evaluate(identity(classLabel(2), [[1, 0]], [target]))).rejects.toMatchObject({
      code: "invalid_request",
    });
  });
});

describe("scores of values", () => {
  test("loss, rmse, mae and r2 are those by hand", async () => {
    // Errors 0, -1, -2; the targets' squared distances from their mean 3 are 4, 0, 4.
    const score = await evaluate(identity(valueLabel, [[1], [2], [3]], [1, 3, 5]));
    expect(score).toEqual({ kind: "value", loss: 5 / 3, rmse: Math.sqrt(5 / 3), mae: 1, r2: 1 - 5 / 8 });
  });

  test.each([
    { output: 2, r2: 1 },
    { output: 3, r2: 0 },
  ])("where all targets are 2 and all outputs $output, r2 is $r2", async ({ output, r2 }) => {
    expect(await evaluate(identity(valueLabel, [[output], [output]], [2, 2]))).toMatchObject({ r2 });
  });

  test("targets with a large offset keep their spread", async () => {
    // A sum of squares minus a square of sums would cancel at 2^80.
    const offset = 2 ** 40;
    const targets = [offset, offset + 1, offset + 2];
    const score = await evaluate(identity(valueLabel, [[offset], [offset], [offset]], targets));
    expect(score).toEqual({ kind: "value", loss: 5 / 3, rmse: Math.sqrt(5 / 3), mae: 1, r2: 1 - 5 / 2 });
  });

  test("a target that is no number is invalid_request", async () => {
    await expect(evaluate(identity(valueLabel, [[1]], [Number.NaN]))).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("a missing feature is filled, then all are standardised", async () => {
    const plain = identity(valueLabel, [[Number.NaN], [5]], [4, 8]);
    // ((3) - 1) * 2 = 4 and (5 - 1) * 2 = 8
    const score = await evaluate({ ...plain, preprocessing: { fill: [3], mean: [1], invStd: [2] } });
    expect(score).toMatchObject({ loss: 0, mae: 0 });
  });
});

describe("a model that cannot be scored", () => {
  const good = withHidden(identity(classLabel(2), [[1, 0]], [0]));

  test.each([
    { value: Number.NaN, at: 0, where: "a hidden weight" },
    { value: Number.NaN, at: 4, where: "a hidden bias" },
    { value: Number.POSITIVE_INFINITY, at: 6, where: "an output weight" },
    { value: Number.NEGATIVE_INFINITY, at: 11, where: "an output bias" },
  ])("$value in $where is diverged, not a score", async ({ value, at }) => {
    const parameters = Float32Array.from(good.parameters);
    parameters[at] = value;
    await expect(evaluate({ ...good, parameters })).rejects.toMatchObject({ code: "diverged" });
  });

  test("an output beyond float32 is diverged, naming the row", async () => {
    const evaluation = identity(valueLabel, [[1], [10]], [0, 0]);
    await expect(evaluate({ ...evaluation, parameters: Float32Array.of(3e38, 0) })).rejects.toMatchObject({
      code: "diverged",
      message: "output 0 of held-out row 1 is Infinity",
    });
  });

  test.each<[string, Partial<Evaluation>]>([
    ["a parameter too few", { parameters: good.parameters.slice(1) }],
    ["preprocessing of another width", { preprocessing: { fill: [0], mean: [0], invStd: [1] } }],
    ["features too many", { heldOut: { ...good.heldOut, x: new Float32Array(3) } }],
    ["a target too few", { heldOut: { ...good.heldOut, targets: new Float64Array(0) } }],
    ["a label of three classes", { task: { ...good.task, label: classLabel(3) } }],
  ])("%s is shape_mismatch", async (_what, change) => {
    await expect(evaluate({ ...good, ...change })).rejects.toMatchObject({ code: "shape_mismatch" });
  });

  test("no held-out row is invalid_request", async () => {
    await expect(evaluate(identity(valueLabel, [], []))).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("work in slices", () => {
  const model: ModelSpec = {
    inputs: 2048,
    hidden: [2048],
    outputs: 1,
    activation: "relu",
    head: "mean-squared-error",
  };
  const wide: Evaluation = {
    task: { model, training, label: valueLabel },
    parameters: initialise(model, 1),
    preprocessing: unscaled(2048),
    heldOut: {
      rows: 2,
      x: Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
      targets: Float64Array.of(1, 2),
    },
  };

  test("lets other work run every 65,536 multiply-adds, even within one row", async () => {
    let readings = 0;
    let pauses = 0;
    const clock = { sliceMs: 4, now: () => readings++, pause: async () => void pauses++ };
    const score = await evaluate(wide, clock);
    // 2048 is the widest step between two looks at the clock; it shows one millisecond more at each.
    const looks = Math.floor((2 * parameterCount(model)) / (65_536 + 2048));
    expect(readings).toBeGreaterThanOrEqual(looks);
    expect(pauses).toBeGreaterThanOrEqual(Math.floor(looks / 5));
    expect(score).toEqual(await evaluate(wide, { sliceMs: 1e9 }));
  });

  test("the event loop turns at every pause", async () => {
    let turns = 0;
    let finished = false;
    const turn = (): void => {
      turns += 1;
      if (!finished) setImmediate(turn);
    };
    setImmediate(turn);
    await evaluate(wide, { sliceMs: 0 });
    finished = true;
    expect(turns).toBeGreaterThan(100);
  });
});
