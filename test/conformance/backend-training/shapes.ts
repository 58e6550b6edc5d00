import { describe, expect, test } from "vitest";
import type { BackendOf } from "../backend.ts";
import { SGD, withTrainer } from "../backend-run.ts";
import { type ProblemShape, problem } from "../samples.ts";
import { gradientMismatch } from "./gradients.ts";

const CLASSES = "softmax-cross-entropy";
const VALUES = "mean-squared-error";

/** One, and one less and one more than a lane, a register tile and a workgroup; no hidden layer up to eight. */
const SHAPES: readonly ProblemShape[] = [
  { widths: [7, 64, 32, 3], head: CLASSES, rows: 200 },
  { widths: [1, 1], head: VALUES, rows: 1 },
  { widths: [1, 1, 1], head: "huber", activation: "tanh", rows: 5 },
  { widths: [4, 2], head: CLASSES, rows: 1 },
  { widths: [9, 1], head: CLASSES, rows: 3 }, // one class: nothing to learn
  { widths: [3, 5, 2], head: "gaussian", activation: "gelu", rows: 17 },
  { widths: [17, 1, 1], head: VALUES, rows: 64 },
  { widths: [5, 3, 2, 4], head: "gaussian", activation: "identity", rows: 9 },
  { widths: [16, 17, 3, 17], head: VALUES, activation: "tanh", rows: 33 },
  { widths: [9, 8, 16, 8], head: CLASSES, activation: "gelu", rows: 65 },
  { widths: [8, 65, 9, 33], head: "huber", activation: "gelu", rows: 31 },
  { widths: [2, 3, 5, 4, 6, 2, 7, 3, 4, 2], head: CLASSES, rows: 31 },
  { widths: [3, 4, 5, 4, 8, 9, 4, 3, 5, 6], head: "gaussian", activation: "tanh", rows: 13 },
  { widths: [6, 5, 257], head: CLASSES, rows: 6 },
  { widths: [257, 4, 9], head: VALUES, activation: "gelu", rows: 7 },
  { widths: [300, 70, 290], head: VALUES, rows: 6 }, // sums longer than a block of 256 terms
  { widths: [6, 2048, 5], head: CLASSES, activation: "gelu", rows: 9 }, // the widest layer
  { widths: [2048, 3], head: CLASSES, rows: 5 },
];

/** Outputs, losses and gradients of models and batches of odd sizes. */
export function describeShapes(backend: BackendOf): void {
  test.each(SHAPES)(
    "the gradient of $widths, $head, $rows rows is within the error of float32",
    async (shape) => {
      expect(await gradientMismatch(backend(), problem(shape))).toBeNull();
    },
  );

  test.each([1, 7, 8, 9, 63, 65, 129, 1021])(
    "the gradient over %i rows is within the error of float32",
    async (rows) => {
      expect(
        await gradientMismatch(
          backend(),
          problem({ widths: [5, 9, 6], head: "gaussian", activation: "gelu", rows, seed: 3 }),
        ),
      ).toBeNull();
    },
  );

  describe.each(["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const)(
    "without hidden layers, %s",
    (head) => {
      test.each([1, 5, 33])("the gradient of %i inputs is within the error of float32", async (inputs) => {
        expect(
          await gradientMismatch(backend(), problem({ widths: [inputs, 4], head, rows: 21, seed: 4 })),
        ).toBeNull();
      });
    },
  );

  test("a training set of no rows has no outputs, and an epoch over it no loss", async () => {
    const given = problem({ widths: [4, 5, 3], head: CLASSES, rows: 0 });
    await withTrainer(backend(), given, SGD, async (trainer) => {
      expect((await trainer.outputs()).length).toBe(0);
      expect(await trainer.epoch(new Uint32Array(0), new Float32Array(0))).toBe(0);
      expect(await trainer.parameters()).toEqual(given.parameters);
    });
  });
}
