import { describe, expect, test } from "vitest";
import type { Backend, Trainer } from "../../client/backend/backend.ts";
import { type LocalTraining, localTraining } from "../../protocol/local-training.ts";
import { errorBounds } from "../oracle/bounds/error-bounds.ts";
import { firstDifference, firstMismatch, firstOutside } from "../oracle/close.ts";
import { lossGradient, meanLoss, outputsOf } from "../oracle/network.ts";
import type { BackendOf } from "./backend.ts";
import { inOrder, type Problem, type ProblemShape, problem, startAt, uniform } from "./samples.ts";

const CLASSES = "softmax-cross-entropy";
const VALUES = "mean-squared-error";
const SHAPES: readonly ProblemShape[] = [
  { widths: [7, 64, 32, 3], head: CLASSES, rows: 200 },
  { widths: [1, 1], head: VALUES, rows: 1 },
  { widths: [1, 1, 1], head: VALUES, rows: 5 },
  { widths: [4, 2], head: CLASSES, rows: 1 },
  { widths: [3, 5, 2], head: CLASSES, rows: 17 },
  { widths: [17, 1, 1], head: VALUES, rows: 64 },
  { widths: [16, 17, 3, 17], head: VALUES, rows: 33 },
  { widths: [9, 8, 16, 8], head: CLASSES, rows: 65 },
  { widths: [2, 3, 5, 4, 6, 2, 7, 3, 4, 2], head: CLASSES, rows: 31 },
  { widths: [5, 33, 9], head: CLASSES, rows: 1021 },
  { widths: [6, 5, 257], head: CLASSES, rows: 6 },
  { widths: [300, 70, 290], head: VALUES, rows: 6 }, // sums longer than a block of 256 terms
];
const SGD = localTraining({
  localEpochs: 1,
  batchSize: 64,
  localLearningRate: 0.1,
  optimizer: { kind: "sgd" },
});

/** Runs `work` with a trainer of `given`, loaded with its parameters, and frees everything. */
export async function withTrainer<T>(
  backend: Backend,
  given: Problem,
  training: LocalTraining,
  work: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const x = backend.matrix(given.x, given.rows, given.model.inputs);
  const trainer = await backend.trainer({ model: given.model, training, set: { x, targets: given.targets } });
  trainer.load(startAt(given.parameters));
  try {
    return await work(trainer);
  } finally {
    trainer.dispose();
    x.dispose();
  }
}

/** Outputs, losses and gradients against float64 backpropagation and central differences. */
export function describeGradients(backend: BackendOf): void {
  describe.each(SHAPES)("of $widths, $head, $rows rows", (shape) => {
    const given = problem(shape);
    const { network, parameters, examples, rows } = given;

    test("the outputs are within the error of float32", async () => {
      const outputs = await withTrainer(backend(), given, SGD, (trainer) => trainer.outputs());
      const bounds = errorBounds(network, parameters, examples, inOrder(rows));
      const expected = outputsOf(network, parameters, given.x, inOrder(rows));
      expect(firstOutside(outputs, expected, bounds.outputs)).toBeNull();
    });

    test("the loss and its gradient are within the error of float32", async () => {
      // Backwards, with every third row left out and the first one twice.
      const order = inOrder(rows)
        .toReversed()
        .filter((row) => row % 3 !== 1);
      const chosen = Uint32Array.of(...order, 0);
      const found = await withTrainer(backend(), given, SGD, (trainer) => trainer.gradient(chosen));
      const expected = lossGradient(network, parameters, examples, chosen);
      const bounds = errorBounds(network, parameters, examples, chosen);
      expect(firstOutside([found.loss], [expected.loss], [bounds.loss])).toBeNull();
      expect(firstOutside(found.gradient, expected.gradient, bounds.gradient)).toBeNull();
    });
  });

  describe.each([CLASSES, VALUES] as const)("of a small model, %s", (head) => {
    const given = problem({ widths: [4, 6, 5, 3], head, rows: 20, seed: 31 });

    test("the gradient is the slope of the float64 loss", async () => {
      const { network, examples, parameters } = given;
      const rows = inOrder(given.rows);
      const { gradient } = await withTrainer(backend(), given, SGD, (trainer) => trainer.gradient(rows));
      const h = 1e-5;
      const slopes = Float64Array.from(parameters, (_, i) => {
        const shifted = (by: number): number => {
          const moved = Float64Array.from(parameters, (value, j) => (i === j ? value + by : value));
          return meanLoss(network, moved, examples, rows);
        };
        return (shifted(h) - shifted(-h)) / (2 * h);
      });
      // Central differences err by h^2 of the third derivative (here below 100) plus 2^-52 / h of the loss.
      expect(firstMismatch(gradient, slopes, { rtol: 1e-4, atol: 1e-6 })).toBeNull();
    });

    test("the gradient leaves the parameters as they are", async () => {
      const after = await withTrainer(backend(), given, SGD, async (trainer) => {
        await trainer.gradient(inOrder(given.rows));
        return trainer.parameters();
      });
      expect(firstDifference(after, given.parameters)).toBeNull();
    });
  });

  test("logits in the thousands give a finite loss and whole probabilities", async () => {
    const given = problem({ widths: [3, 4], head: CLASSES, rows: 16, seed: 41 });
    const large = { ...given, parameters: uniform(given.parameters.length, 42, 2000) };
    const rows = inOrder(given.rows);
    const found = await withTrainer(backend(), large, SGD, (trainer) => trainer.gradient(rows));
    const expected = lossGradient(given.network, large.parameters, given.examples, rows);
    // A logit of 2^13 has units of 2^-10, and every gap that matters here is far larger.
    expect(firstMismatch([found.loss], [expected.loss], { rtol: 1e-5, atol: 1e-3 })).toBeNull();
    expect(firstMismatch(found.gradient, expected.gradient, { rtol: 1e-5, atol: 2e-3 })).toBeNull();
  });
}
