import { describe, expect, test } from "vitest";
import { type LocalTraining, localTraining, type Optimizer } from "../../protocol/local-training.ts";
import { firstDifference, relativeDistance } from "../oracle/close.ts";
import { stepper, trainEpoch } from "../oracle/training.ts";
import type { BackendOf } from "./backend.ts";
import { withTrainer } from "./backend-gradients.ts";
import { constantRates, inOrder, type Problem, problem, startAt, uniform, wholes } from "./samples.ts";

const CLASSES = "softmax-cross-entropy";
const OPTIMIZERS: readonly Optimizer[] = [
  { kind: "sgd" },
  { kind: "momentum", momentum: 0.9 },
  { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
];

function trainingWith(optimizer: Optimizer, batchSize: number): LocalTraining {
  const localLearningRate = optimizer.kind === "adam" ? 0.002 : 0.02;
  return localTraining({ localEpochs: 1, batchSize, localLearningRate, optimizer });
}

/** Every step of an epoch at the same rate. */
function ratesOf({ batchSize, localLearningRate }: LocalTraining, rows: number): Float32Array<ArrayBuffer> {
  return constantRates(rows, batchSize, localLearningRate);
}

interface Trained {
  readonly losses: readonly number[];
  readonly parameters: Float32Array<ArrayBuffer>;
}

/** Trains on the backend, one local epoch for each order. */
function train(
  backend: BackendOf,
  given: Problem,
  training: LocalTraining,
  orders: readonly Uint32Array<ArrayBuffer>[],
): Promise<Trained> {
  return withTrainer(backend(), given, training, async (trainer) => {
    const losses: number[] = [];
    for (const order of orders) losses.push(await trainer.epoch(order, ratesOf(training, order.length)));
    return { losses, parameters: await trainer.parameters() };
  });
}

/** The same in float64. */
function trainOracle(
  { network, examples, parameters }: Problem,
  { batchSize, localLearningRate, optimizer }: LocalTraining,
  orders: readonly Uint32Array<ArrayBuffer>[],
): { losses: number[]; parameters: Float64Array } {
  const trained = Float64Array.from(parameters);
  const step = stepper(optimizer, localLearningRate, trained.length);
  const losses = orders.map((order) => trainEpoch(trained, { network, examples, order, batchSize, step }));
  return { losses, parameters: trained };
}

/** Steps, epochs and what they leave behind. */
export function describeTraining(backend: BackendOf): void {
  describe.each(OPTIMIZERS)("training with $kind", (optimizer) => {
    describeSteps(backend, optimizer);
    describeRepeats(backend, optimizer);
  });
  describeRefusals(backend);

  test("fifty trainers made and freed one after another all train alike", async () => {
    const given = problem({ widths: [8, 40, 4], head: CLASSES, rows: 300, seed: 71 });
    const training = trainingWith({ kind: "momentum", momentum: 0.9 }, 64);
    const first = await train(backend, given, training, [inOrder(300)]);
    for (let i = 0; i < 50; i++) {
      const { parameters } = await train(backend, given, training, [inOrder(300)]);
      expect(firstDifference(parameters, first.parameters)).toBeNull();
    }
  });
}

function describeSteps(backend: BackendOf, optimizer: Optimizer): void {
  const given = problem({ widths: [7, 64, 32, 3], head: CLASSES, rows: 150, seed: 51 });

  test("one step moves the parameters as in float64", async () => {
    const training = trainingWith(optimizer, 150);
    const found = await train(backend, given, training, [inOrder(150)]);
    const expected = trainOracle(given, training, [inOrder(150)]);
    expect(relativeDistance(found.parameters, expected.parameters)).toBeLessThan(1e-5);
    const moved = expected.parameters.map((value, i) => value - (given.parameters[i] ?? 0));
    const foundMoved = found.parameters.map((value, i) => value - (given.parameters[i] ?? 0));
    // float32 keeps a step of lr * g to 2^-24 of the weight, about 1e-3 of these steps' smallest weights.
    expect(relativeDistance(foundMoved, moved)).toBeLessThan(1e-3);
  });

  test.each([
    { name: "ragged last batch", rows: 150, batchSize: 32 },
    { name: "batch larger than the rows", rows: 150, batchSize: 4096 },
    { name: "batch of one row", rows: 12, batchSize: 1 },
    { name: "last batch of one row", rows: 65, batchSize: 64 },
  ])("two local epochs end where float64 does: $name", async ({ rows, batchSize }) => {
    const training = trainingWith(optimizer, batchSize);
    const orders = [inOrder(rows), wholes(rows, 150, 52)];
    const found = await train(backend, given, training, orders);
    const expected = trainOracle(given, training, orders);
    // A few steps: rounding has not been amplified yet.
    expect(relativeDistance(found.parameters, expected.parameters)).toBeLessThan(1e-4);
    expect(relativeDistance(found.losses, expected.losses)).toBeLessThan(1e-4);
  });

  test("values are learned as in float64, and the loss falls", async () => {
    const values = problem({ widths: [5, 17, 2], head: "mean-squared-error", rows: 400, seed: 53 });
    const training = trainingWith(optimizer, 16);
    const orders = [inOrder(400), inOrder(400), inOrder(400)];
    const found = await train(backend, values, training, orders);
    const expected = trainOracle(values, training, orders);
    expect(relativeDistance(found.losses, expected.losses)).toBeLessThan(0.01);
    expect(found.losses[2]).toBeLessThan(found.losses[0] ?? 0);
  });

  test("an order longer than the training set takes as many steps as it has batches", async () => {
    const training = trainingWith(optimizer, 100);
    const order = wholes(450, 150, 54);
    const found = await train(backend, given, training, [order]);
    const expected = trainOracle(given, training, [order]);
    expect(relativeDistance(found.parameters, expected.parameters)).toBeLessThan(1e-4);
  });
}

function describeRepeats(backend: BackendOf, optimizer: Optimizer): void {
  const given = problem({ widths: [9, 33, 5], head: CLASSES, rows: 333, seed: 61 });
  const training = trainingWith(optimizer, 50);

  test("the same epochs give the same bits", async () => {
    const orders = [inOrder(333), wholes(333, 333, 62)];
    const first = await train(backend, given, training, orders);
    const second = await train(backend, given, training, orders);
    expect(firstDifference(second.parameters, first.parameters)).toBeNull();
    expect(second.losses).toEqual(first.losses);
  });

  test("load starts over, the optimiser's state included", async () => {
    await withTrainer(backend(), given, training, async (trainer) => {
      const loss = await trainer.epoch(inOrder(333), ratesOf(training, 333));
      const parameters = await trainer.parameters();
      trainer.load(startAt(given.parameters));
      expect(firstDifference(await trainer.parameters(), given.parameters)).toBeNull();
      expect(await trainer.epoch(inOrder(333), ratesOf(training, 333))).toBe(loss);
      expect(firstDifference(await trainer.parameters(), parameters)).toBeNull();
    });
  });

  test("a gradient between two epochs changes nothing", async () => {
    const orders = [inOrder(333), inOrder(333)];
    const undisturbed = await train(backend, given, training, orders);
    const parameters = await withTrainer(backend(), given, training, async (trainer) => {
      await trainer.epoch(inOrder(333), ratesOf(training, 333));
      await trainer.gradient(inOrder(100));
      await trainer.outputs();
      await trainer.epoch(inOrder(333), ratesOf(training, 333));
      return trainer.parameters();
    });
    expect(firstDifference(parameters, undisturbed.parameters)).toBeNull();
  });

  test("two trainers do not disturb each other", async () => {
    const other = problem({ widths: [4, 6, 2], head: CLASSES, rows: 60, seed: 63 });
    const alone = await train(backend, given, training, [inOrder(333)]);
    await withTrainer(backend(), given, training, (trainer) =>
      withTrainer(backend(), other, training, async (beside) => {
        const losses = await Promise.all([
          trainer.epoch(inOrder(333), ratesOf(training, 333)),
          beside.epoch(inOrder(60), ratesOf(training, 60)),
        ]);
        expect(losses[0]).toBe(alone.losses[0]);
        expect(firstDifference(await trainer.parameters(), alone.parameters)).toBeNull();
      }),
    );
  });
}

function describeRefusals(backend: BackendOf): void {
  const given = problem({ widths: [4, 3], head: CLASSES, rows: 6, seed: 81 });
  const training = trainingWith({ kind: "sgd" }, 4);

  test.each([
    { name: "x has another width than the model's inputs", cols: 3, targets: given.targets },
    {
      name: "there are fewer classes than rows",
      cols: 4,
      targets: { kind: "class", classes: wholes(5, 3, 1) },
    },
    {
      name: "a class is not below the outputs",
      cols: 4,
      targets: { kind: "class", classes: Uint32Array.of(0, 1, 2, 3, 0, 1) },
    },
    { name: "values are given for classes", cols: 4, targets: { kind: "value", values: uniform(18, 1) } },
  ] as const)("a trainer is refused as shape_mismatch when $name", async ({ cols, targets }) => {
    const x = backend().matrix(uniform(6 * cols, 1), 6, cols);
    await expect(
      backend().trainer({ model: given.model, training, set: { x, targets } }),
    ).rejects.toMatchObject({
      code: "shape_mismatch",
    });
    x.dispose();
  });

  test("parameters of another length are refused as shape_mismatch", async () => {
    await withTrainer(backend(), given, training, async (trainer) => {
      expect(() => trainer.load(startAt(uniform(16, 1)))).toThrowError(
        expect.objectContaining({ code: "shape_mismatch" }),
      );
      expect((await trainer.parameters()).length).toBe(15);
    });
  });
}
