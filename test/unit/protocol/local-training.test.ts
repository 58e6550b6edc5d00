import { describe, expect, test } from "vitest";
import { learningRateAt, localTraining } from "../../../protocol/local-training.ts";

const GIVEN = { localEpochs: 1, batchSize: 8, localLearningRate: 0.4, optimizer: { kind: "sgd" } } as const;

describe("the learning rate", () => {
  test("is constant unless a schedule says otherwise", () => {
    const training = localTraining(GIVEN);
    expect(learningRateAt(training, { round: 1, rounds: 9, done: 0 })).toBe(0.4);
    expect(learningRateAt(training, { round: 9, rounds: 9, done: 0.9 })).toBe(0.4);
  });

  test("falls along half a cosine from the first step of the campaign to its last", () => {
    const training = localTraining({ ...GIVEN, schedule: { kind: "cosine", finalFraction: 0.5 } });
    const at = (round: number, done: number): number => learningRateAt(training, { round, rounds: 4, done });
    expect(at(1, 0)).toBe(0.4);
    // Half way the cosine is 0, so the rate is the mean of both ends; a third and two thirds lie beside it.
    expect(at(3, 0)).toBeCloseTo(0.3, 12);
    expect(at(2, 1 / 3)).toBeCloseTo(0.2 * (1 + (1 + 0.5) / 2), 12);
    expect(at(3, 2 / 3)).toBeCloseTo(0.2 * (1 + (1 - 0.5) / 2), 12);
    expect(at(4, 1)).toBeCloseTo(0.2, 12);
  });

  test("of steps falls after every so many rounds, and not within one", () => {
    const training = localTraining({ ...GIVEN, schedule: { kind: "step", everyRounds: 2, factor: 0.5 } });
    const rates = [1, 2, 3, 4, 5].map((round) => learningRateAt(training, { round, rounds: 5, done: 0.9 }));
    expect(rates).toEqual([0.4, 0.4, 0.2, 0.2, 0.1]);
  });
});
