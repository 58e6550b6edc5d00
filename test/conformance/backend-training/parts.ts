import { describe, expect, test } from "vitest";
import { relativeDistance } from "../../oracle/close.ts";
import type { BackendOf } from "../backend.ts";
import { epochsOf, train, trainingWith } from "../backend-run.ts";
import { inOrder, problem, wholes } from "../samples.ts";
import { gradientMismatch } from "./gradients.ts";
import { endMismatch } from "./optimizers.ts";

/** Batches that are computed in parts, where memory is short. */
export function describeParts(backend: BackendOf): void {
  describe.each([1, 7, 32, 64, 1000])("at most %i rows at once", (maxRowsAtOnce) => {
    const classes = problem({ widths: [5, 17, 3], head: "softmax-cross-entropy", rows: 133, seed: 91 });
    const given = { ...classes, maxRowsAtOnce };
    const training = trainingWith({ kind: "sgd" }, 65, { localLearningRate: 0.1 });

    test("give outputs, loss and gradient within the error of float32", async () => {
      expect(await gradientMismatch(backend(), given, training)).toBeNull();
    });

    test("train as whole batches do: dropout, clipping and terms count rows of the batch", async () => {
      const terms = { dropout: 0.5, gradientClipNorm: 0.2, l2: 0.01 };
      const epochs = epochsOf(training, [inOrder(133), wholes(150, 133, 92)]);
      const run = { given, training: { ...training, ...terms }, epochs, terms: { dropoutSeed: 93 } };
      expect(await endMismatch(backend, run, 1e-5)).toBeNull();
      const whole = await train(backend(), { ...run, given: classes });
      const found = await train(backend(), run);
      // The same terms summed in other groups: a few roundings of 2^-24 each.
      expect(relativeDistance(found.losses, whole.losses)).toBeLessThan(2e-6);
      expect(relativeDistance(found.parameters, whole.parameters)).toBeLessThan(2e-6);
    });
  });
}
