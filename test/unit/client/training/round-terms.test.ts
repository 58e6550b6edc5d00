import { describe, expect, test } from "vitest";
import type { Trainer } from "../../../../client/backend/backend.ts";
import { clipUpdate } from "../../../../client/training/clip-update.ts";
import { dropoutSeed } from "../../../../client/training/dropout-seed.ts";
import { localUpdate } from "../../../../client/training/local-update.ts";
import { stepRates } from "../../../../client/training/step-rates.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import type { TrainPlan } from "../../../../protocol/rounds.ts";
import { decodeWeights } from "../../../../protocol/weights.ts";

const PLAN: TrainPlan = {
  kind: "train",
  task: "objects",
  round: 3,
  rounds: 10,
  deadlineSecs: 60,
  shards: [{ catalog: "sky", id: "p7", rows: 10, bytes: 1, etag: "a".repeat(64) }],
  features: [{ name: "g", plus: "g", minus: null }],
  baseModel: "b".repeat(64),
  model: { inputs: 1, hidden: [], outputs: 1, activation: "identity", head: "mean-squared-error" },
  label: { kind: "value", column: "z", unit: null },
  preprocessing: { fill: [0], mean: [0], invStd: [1] },
  training: localTraining({
    localEpochs: 2,
    batchSize: 4,
    localLearningRate: 0.5,
    optimizer: { kind: "sgd" },
  }),
  seed: 9,
};

function planWith(training: Partial<TrainPlan["training"]>): TrainPlan {
  return { ...PLAN, training: { ...PLAN.training, ...training } };
}

/** Euclidean norm in float64. */
const norm = (values: Iterable<number>): number => Math.hypot(...values);

describe("the learning rates of a local epoch", () => {
  test("are one a step, the short last batch included, and constant without a schedule", () => {
    expect([...stepRates(PLAN, 1, 10)]).toEqual([0.5, 0.5, 0.5]);
    expect(stepRates(PLAN, 0, 8)).toHaveLength(2);
    expect(stepRates(PLAN, 0, 0)).toHaveLength(0);
  });

  test("follow the cosine over the round's steps, so that the second epoch goes on where the first ended", () => {
    const plan = planWith({ schedule: { kind: "cosine", finalFraction: 0.1 } });
    const found = [0, 1].flatMap((epoch) => [...stepRates(plan, epoch, 10)]);
    // Six steps of round 3 of 10: step s stands at (2 + s / 6) / 10 of the campaign.
    for (const [s, rate] of found.entries()) {
      const progress = (2 + s / 6) / 10;
      expect(rate).toBeCloseTo(0.5 * (0.1 + 0.45 * (1 + Math.cos(Math.PI * progress))), 7);
    }
    expect(found).toHaveLength(6);
  });

  test("drop by the step schedule's factor between rounds, never within one", () => {
    const plan = planWith({ schedule: { kind: "step", everyRounds: 2, factor: 0.5 } });
    expect([...stepRates({ ...plan, round: 2 }, 1, 10)]).toEqual([0.5, 0.5, 0.5]);
    expect([...stepRates({ ...plan, round: 3 }, 0, 10)]).toEqual([0.25, 0.25, 0.25]);
  });
});

describe("an update's clipping", () => {
  test("scales a long update to the bound, never above it, and keeps its direction", () => {
    for (const maxNorm of [0.1, 1, 3, 7.7]) {
      const delta = Float32Array.of(3, -4, 12, 0.001, 84);
      const before = delta.slice();
      clipUpdate(delta, maxNorm);
      expect(norm(delta)).toBeLessThanOrEqual(maxNorm);
      // 2^-23 of room and one rounding of 2^-24 an entry.
      expect(norm(delta)).toBeGreaterThan(maxNorm * (1 - 2 ** -22));
      const factor = maxNorm / norm(before);
      for (const [i, value] of delta.entries()) {
        expect(value / ((before[i] ?? 0) * factor)).toBeCloseTo(1, 6);
      }
    }
  });

  test("leaves alone an update at the bound, and every update when there is none", () => {
    const delta = Float32Array.of(3, 4);
    clipUpdate(delta, 5);
    clipUpdate(delta, null);
    expect([...delta]).toEqual([3, 4]);
  });

  test("sums squares beyond float32 and clips all the same", () => {
    const delta = Float32Array.of(2e38, -2e38);
    clipUpdate(delta, 1);
    expect(norm(delta)).toBeCloseTo(1, 6);
  });

  test("is part of a round's local training", async () => {
    const trainer: Trainer = {
      load() {},
      epoch: async () => 0.5,
      parameters: async () => Float32Array.of(4, 3),
      gradient: () => Promise.reject(new Error("unreachable")),
      outputs: () => Promise.reject(new Error("unreachable")),
      dispose() {},
    };
    const update = await localUpdate(
      { key: "", rows: 10, trainer, dispose() {} },
      planWith({ updateClipNorm: 1 }),
      {
        nodeId: "0".repeat(16),
        backend: "wasm",
        base: new Float32Array(2),
        now: () => 0,
        onEpoch: () => {},
        beforeEpoch: async () => {},
      },
    );
    const delta = decodeWeights(PLAN.model, update.bytes);
    expect(delta[0]).toBeCloseTo(0.8, 6);
    expect(delta[1]).toBeCloseTo(0.6, 6);
  });
});

describe("the seed of a round's dropout", () => {
  test("repeats for the same round and first shard, and is another for any other", () => {
    const seed = dropoutSeed(PLAN);
    expect(dropoutSeed(structuredClone(PLAN))).toBe(seed);
    expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
    const shards = PLAN.shards.map((shard) => ({ ...shard, id: "p8" }));
    const others = [
      { ...PLAN, round: 4 },
      { ...PLAN, seed: 10 },
      { ...PLAN, shards },
    ].map(dropoutSeed);
    expect(new Set([seed, ...others]).size).toBe(4);
  });
});
