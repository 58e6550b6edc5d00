import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../client/backend/backend.ts";
import { relativeDistance } from "../oracle/close.ts";
import { epochsOf, type Run, train, trainingWith } from "./backend-run.ts";
import { RULES } from "./backend-training/optimizers.ts";
import { inOrder, problem, uniform, wholes } from "./samples.ts";

const PAIRS = [
  { head: "softmax-cross-entropy", activation: "relu" },
  { head: "mean-squared-error", activation: "gelu" },
  { head: "huber", activation: "tanh" },
  { head: "gaussian", activation: "gelu" },
] as const;

/** A local round with everything on, of two layers on 700 rows. */
function roundOf(rule: (typeof RULES)[number], pair: (typeof PAIRS)[number], batchSize: number): Run {
  const given = problem({ widths: [9, 33, 18, 4], rows: 700, seed: 101, ...pair });
  const terms = { dropout: 0.2, l2: 1e-3, gradientClipNorm: 1, localLearningRate: rule.rate / 10 };
  const training = trainingWith(rule.optimizer, batchSize, terms);
  const correction = uniform(given.parameters.length, 102, 0.01);
  const start = { proximalMu: 0.01, correction, dropoutSeed: 103 };
  return { given, training, epochs: epochsOf(training, [wholes(700, 700, 104), inOrder(700)]), terms: start };
}

/** Two backends end where the other does, so that a round may be trained by nodes with either. */
export function describeAgreement(
  name: string,
  open: readonly [() => Promise<Backend>, () => Promise<Backend>],
): void {
  describe(`${name} train alike`, () => {
    const backends: Backend[] = [];
    beforeAll(async () => {
      for (const create of open) backends.push(await create());
    });
    afterAll(() => {
      for (const backend of backends) backend.dispose();
    });

    describe.each(RULES)("with $name", (rule) => {
      test.each(PAIRS)("one step: $activation, $head", async (pair) => {
        const run = roundOf(rule, pair, 700);
        const step = { ...run, epochs: run.epochs.slice(0, 1) };
        const [first, second] = await Promise.all(backends.map((backend) => train(backend, step)));
        expect(relativeDistance(first?.parameters ?? [], second?.parameters ?? [])).toBeLessThan(1e-5);
        expect(relativeDistance(first?.losses ?? [], second?.losses ?? [])).toBeLessThan(1e-5);
      });

      test.each(PAIRS)("two epochs, by their losses: $activation, $head", async (pair) => {
        const run = roundOf(rule, pair, 64);
        const [first, second] = await Promise.all(backends.map((backend) => train(backend, run)));
        for (const [epoch, loss] of (first?.losses ?? []).entries()) {
          expect(relativeDistance([loss], [second?.losses[epoch] ?? 0]), `epoch ${epoch}`).toBeLessThan(0.01);
        }
        expect(first?.losses[1]).toBeLessThan(first?.losses[0] ?? 0);
      });
    });
  });
}
