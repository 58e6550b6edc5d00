import { expect, test } from "vitest";
import type { Backend } from "../../../client/backend/backend.ts";
import type { LocalTraining } from "../../../protocol/local-training.ts";
import { errorBounds } from "../../oracle/bounds/error-bounds.ts";
import { firstDifference, firstMismatch, firstOutside } from "../../oracle/close.ts";
import { lossGradient, meanLoss, outputsOf } from "../../oracle/network.ts";
import type { BackendOf } from "../backend.ts";
import { networkOf, SGD, type Trained, withTrainer } from "../backend-run.ts";
import { inOrder, problem } from "../samples.ts";

/** Backwards, with every third row left out and the first one twice. */
function someRows(rows: number): Uint32Array<ArrayBuffer> {
  const backwards = inOrder(rows).toReversed();
  return Uint32Array.of(...backwards.filter((row) => row % 3 !== 1), 0);
}

/** Describe the first of outputs, loss and gradient outside the error of float32, or give `null`. */
export function gradientMismatch(
  backend: Backend,
  given: Trained,
  training: LocalTraining = SGD,
): Promise<string | null> {
  const { parameters, examples } = given;
  const network = networkOf(given, training);
  const all = inOrder(given.rows);
  const chosen = someRows(given.rows);
  return withTrainer(backend, given, training, async (trainer) => {
    const outputs = await trainer.outputs();
    const ofAll = errorBounds(network, parameters, examples, all);
    const exact = outputsOf(network, parameters, given.x, all);
    const found = await trainer.gradient(chosen);
    const expected = lossGradient(network, parameters, examples, chosen);
    const bounds = errorBounds(network, parameters, examples, chosen);
    return (
      named("outputs", firstOutside(outputs, exact, ofAll.outputs)) ??
      named("loss", firstOutside([found.loss], [expected.loss], [bounds.loss])) ??
      named("gradient", firstOutside(found.gradient, expected.gradient, bounds.gradient))
    );
  });
}

/** A mismatch and what it is of; `null` stays. */
function named(name: string, mismatch: string | null): string | null {
  return mismatch === null ? null : `${name}${mismatch.startsWith("[") ? "" : " "}${mismatch}`;
}

const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;
const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const PAIRS = HEADS.map((head, i) => ({ head, activation: ACTIVATIONS[i] ?? "relu" }));

/** Gradients of small models by central differences, and that they only look. */
export function describeGradients(backend: BackendOf): void {
  test.each(PAIRS)("the gradient is the slope of the float64 loss: $activation, $head", async (pair) => {
    const given = problem({ widths: [4, 6, 5, 4], rows: 20, seed: 31, ...pair });
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
    // float32 errs by about 1e-6 of what was summed up; central differences by far less.
    expect(firstMismatch(gradient, slopes, { rtol: 1e-4, atol: 1e-5 })).toBeNull();
  });

  test("gradients and outputs leave the parameters as they are", async () => {
    const given = problem({ widths: [4, 6, 3], head: "huber", rows: 20, seed: 32 });
    const after = await withTrainer(backend(), given, SGD, async (trainer) => {
      await trainer.gradient(inOrder(given.rows));
      await trainer.outputs();
      return trainer.parameters();
    });
    expect(firstDifference(after, given.parameters)).toBeNull();
  });

  test("clipping, l2 and dropout are a step's, not the gradient's", async () => {
    const given = problem({ widths: [4, 6, 3], head: "mean-squared-error", rows: 20, seed: 33 });
    expect(
      await gradientMismatch(backend(), given, { ...SGD, gradientClipNorm: 1e-3, l2: 0.5, dropout: 0.5 }),
    ).toBeNull();
  });
}
