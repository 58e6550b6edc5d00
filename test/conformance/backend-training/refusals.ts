import { describe, expect, test } from "vitest";
import type { Targets, Trainer } from "../../../client/backend/backend.ts";
import { firstDifference } from "../../oracle/close.ts";
import type { BackendOf } from "../backend.ts";
import { SGD, trainingWith, withTrainer } from "../backend-run.ts";
import { constantRates, inOrder, problem, startAt, uniform, wholes } from "../samples.ts";

const SHAPE_MISMATCH = { name: "AstroScaleError", code: "shape_mismatch" };
const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;
const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const MISSING = Number.NaN;

/** What cannot be computed is refused, and what is not a number shows. */
export function describeRefusals(backend: BackendOf): void {
  describe("a trainer is refused as shape_mismatch when", () => {
    describeSets(backend);
  });
  describe("a trainer refuses as shape_mismatch", () => {
    describeCalls(backend);
  });
  describe("what is not a number shows in the loss", () => {
    describeNotNumbers(backend);
  });
}

function describeSets(backend: BackendOf): void {
  const classes = wholes(6, 3, 1);
  test.each<{ name: string; head: (typeof HEADS)[number]; cols: number; targets: Targets }>([
    {
      name: "x has another width than the model's inputs",
      head: HEADS[0],
      cols: 3,
      targets: { kind: "class", classes },
    },
    {
      name: "there are fewer classes than rows",
      head: HEADS[0],
      cols: 4,
      targets: { kind: "class", classes: wholes(5, 3, 1) },
    },
    {
      name: "a class is not below the outputs",
      head: HEADS[0],
      cols: 4,
      targets: { kind: "class", classes: Uint32Array.of(0, 1, 2, 4, 0, 1) },
    },
    {
      name: "values are given for classes",
      head: HEADS[0],
      cols: 4,
      targets: { kind: "value", values: uniform(24, 1) },
    },
    { name: "classes are given for values", head: HEADS[1], cols: 4, targets: { kind: "class", classes } },
    {
      name: "a value is missing",
      head: HEADS[2],
      cols: 4,
      targets: { kind: "value", values: uniform(23, 1) },
    },
    {
      name: "there is a value for every output of a gaussian",
      head: HEADS[3],
      cols: 4,
      targets: { kind: "value", values: uniform(24, 1) },
    },
  ])("$name", async ({ head, cols, targets }) => {
    const { model } = problem({ widths: [4, 4], head, rows: 6, seed: 81 });
    const x = backend().matrix(uniform(6 * cols, 1), 6, cols);
    await expect(backend().trainer({ model, training: SGD, set: { x, targets } })).rejects.toMatchObject(
      SHAPE_MISMATCH,
    );
    x.dispose();
  });

  test("there is not a weight for every class", async () => {
    const { model, targets } = problem({ widths: [4, 4], head: HEADS[0], rows: 6 });
    const x = backend().matrix(uniform(24, 1), 6, 4);
    const training = { ...SGD, classWeights: [1, 1, 1] };
    await expect(backend().trainer({ model, training, set: { x, targets } })).rejects.toMatchObject(
      SHAPE_MISMATCH,
    );
    x.dispose();
  });
}

function describeCalls(backend: BackendOf): void {
  const given = problem({ widths: [4, 5, 3], head: "softmax-cross-entropy", rows: 6, seed: 82 });
  const training = trainingWith({ kind: "sgd" }, 4);
  const count = given.parameters.length;

  test.each([
    { name: "fewer parameters than the model has", start: startAt(uniform(count - 1, 1)) },
    { name: "more parameters than the model has", start: startAt(uniform(count + 1, 1)) },
    {
      name: "a correction of another length",
      start: startAt(uniform(count, 1), { correction: uniform(count - 1, 1) }),
    },
  ])("$name, and keeps its own", ({ start }) =>
    withTrainer(backend(), given, training, async (trainer) => {
      expect(() => trainer.load(start)).toThrowError(expect.objectContaining(SHAPE_MISMATCH));
      expect(firstDifference(await trainer.parameters(), given.parameters)).toBeNull();
    }),
  );

  test.each<{ name: string; call: (trainer: Trainer) => Promise<unknown> }>([
    { name: "fewer rates than steps", call: (trainer) => trainer.epoch(inOrder(6), new Float32Array(1)) },
    { name: "more rates than steps", call: (trainer) => trainer.epoch(inOrder(6), new Float32Array(3)) },
    { name: "a rate for no rows", call: (trainer) => trainer.epoch(inOrder(0), new Float32Array(1)) },
    {
      name: "an epoch over a row that is not there",
      call: (trainer) => trainer.epoch(Uint32Array.of(0, 6), constantRates(2, 4, 0.1)),
    },
    {
      name: "a gradient over a row that is not there",
      call: (trainer) => trainer.gradient(Uint32Array.of(6)),
    },
  ])("$name, and takes no step", ({ call }) =>
    withTrainer(backend(), given, training, async (trainer) => {
      await expect(call(trainer)).rejects.toMatchObject(SHAPE_MISMATCH);
      expect(firstDifference(await trainer.parameters(), given.parameters)).toBeNull();
    }),
  );
}

function describeNotNumbers(backend: BackendOf): void {
  const rates = constantRates(9, 9, 0.1);

  test.each(HEADS.flatMap((head) => ACTIVATIONS.map((activation) => ({ head, activation }))))(
    "wherever the parameter is: $activation, $head",
    async ({ head, activation }) => {
      const given = problem({ widths: [3, 5, 4], head, activation, rows: 9, seed: 83 });
      const last = given.parameters.length - 1;
      await withTrainer(backend(), given, SGD, async (trainer) => {
        // First weight, a hidden bias, a last layer's weight, the last bias.
        for (const at of [0, 16, 21, last]) {
          const parameters = given.parameters.slice().fill(MISSING, at, at + 1);
          trainer.load(startAt(parameters));
          expect((await trainer.gradient(inOrder(9))).loss, `gradient, parameter ${at}`).toBeNaN();
          expect(await trainer.epoch(inOrder(9), rates), `epoch, parameter ${at}`).toBeNaN();
        }
      });
    },
  );

  test.each(HEADS)("of an input that is not: %s", async (head) => {
    const given = problem({ widths: [3, 5, 4], head, rows: 9, seed: 84 });
    given.x[3 * 4 + 1] = MISSING;
    await withTrainer(backend(), given, SGD, async (trainer) => {
      expect((await trainer.gradient(inOrder(9))).loss).toBeNaN();
      expect((await trainer.gradient(inOrder(4))).loss, "rows before it").not.toBeNaN();
      expect(await trainer.epoch(inOrder(9), rates)).toBeNaN();
      expect((await trainer.parameters()).some(Number.isNaN)).toBe(true);
    });
  });

  test("of an infinite logit, as a loss that is not finite", async () => {
    const given = problem({ widths: [3, 4], head: "softmax-cross-entropy", rows: 9, seed: 85 });
    given.parameters[12] = Number.POSITIVE_INFINITY;
    await withTrainer(backend(), given, SGD, async (trainer) => {
      expect(Number.isFinite((await trainer.gradient(inOrder(9))).loss)).toBe(false);
    });
  });

  test("of an error whose square overflows float32, as a loss that is huge or not finite", async () => {
    const given = problem({ widths: [3, 4], head: "mean-squared-error", rows: 9, seed: 86 });
    given.parameters[12] = 1e30;
    await withTrainer(backend(), given, SGD, async (trainer) => {
      expect((await trainer.gradient(inOrder(9))).loss < 1e38).toBe(false);
    });
  });
}
