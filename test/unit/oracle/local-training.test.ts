import { describe, expect, test } from "vitest";
import { firstMismatch } from "../../oracle/close.ts";
import { type LocalRun, localTrainer, type RunStart } from "../../oracle/local-training.ts";
import { type OptimizerRule, steps } from "../../oracle/optimizers.ts";

const EXACT = { rtol: 1e-12, atol: 1e-15 };

/** Where `count` steps of the same gradient `g` end that start at `w`. */
function after(rule: OptimizerRule, count: number, { w, g, rate }: { w: number; g: number; rate: number }) {
  const parameters = Float64Array.of(w);
  const step = steps(rule, 1);
  for (let t = 0; t < count; t++) step(parameters, Float64Array.of(g), rate);
  return parameters;
}

describe("the judge's optimisers under a constant gradient", () => {
  const [w, g, rate] = [2, 0.5, 0.1];
  const at = { w, g, rate };

  test("sgd moves by rate times gradient", () => {
    expect(firstMismatch(after({ kind: "sgd" }, 4, at), [w - 4 * rate * g], EXACT)).toBeNull();
  });

  test("momentum's velocity is a geometric series", () => {
    // v_1 = 1, v_2 = 1.5, v_3 = 1.75 times g
    const expected = w - rate * g * (1 + 1.5 + 1.75);
    expect(firstMismatch(after({ kind: "momentum", momentum: 0.5 }, 3, at), [expected], EXACT)).toBeNull();
  });

  test("nesterov looks one velocity ahead", () => {
    const expected = w - rate * g * (1 + 0.5 * 1 + (1 + 0.5 * 1.5) + (1 + 0.5 * 1.75));
    expect(firstMismatch(after({ kind: "nesterov", momentum: 0.5 }, 3, at), [expected], EXACT)).toBeNull();
  });

  test("adam's moments are free of their start, so every step is rate * g / (|g| + epsilon)", () => {
    const rule = { kind: "adam", beta1: 0.9, beta2: 0.99, epsilon: 0.125 } as const;
    expect(firstMismatch(after(rule, 5, at), [w - (5 * rate * 0.5) / 0.625], EXACT)).toBeNull();
  });

  test("adamw decays the parameter as it was before the step", () => {
    const rule = { kind: "adamw", beta1: 0.9, beta2: 0.99, epsilon: 0.125, weightDecay: 0.25 } as const;
    const first = w - rate * 0.25 * w - (rate * 0.5) / 0.625;
    const second = first - rate * 0.25 * first - (rate * 0.5) / 0.625;
    expect(firstMismatch(after(rule, 2, at), [second], EXACT)).toBeNull();
  });
});

/** Two rows of linear regression without noise: `y = 3 x + 1` from `w = (1, 0)`. */
const RUN: LocalRun = {
  network: { widths: [1, 1], head: "mean-squared-error" },
  examples: { x: [1, -1], targets: [4, -2] },
  batchSize: 2,
  optimizer: { kind: "sgd" },
};
const START: RunStart = { parameters: [1, 0] };

// Errors are -3 and 1: loss 5, gradient (2 * (-3 - 1) / 2, 2 * (-3 + 1) / 2) = (-4, -2).
describe("the judge's step", () => {
  test.each<{ name: string; run: Partial<LocalRun>; start: Partial<RunStart>; g: readonly number[] }>([
    { name: "the gradient alone", run: {}, start: {}, g: [-4, -2] },
    { name: "a clipped gradient", run: { gradientClipNorm: Math.sqrt(5) }, start: {}, g: [-2, -1] },
    { name: "a gradient within its bound", run: { gradientClipNorm: 5 }, start: {}, g: [-4, -2] },
    { name: "l2", run: { l2: 0.5 }, start: {}, g: [-3.5, -2] },
    { name: "a proximal term at its own centre", run: {}, start: { proximalMu: 8 }, g: [-4, -2] },
    { name: "a correction", run: {}, start: { correction: [1, 10] }, g: [-3, 8] },
    {
      name: "terms that are added after clipping",
      run: { gradientClipNorm: Math.sqrt(5), l2: 0.5 },
      start: { correction: [100, 0] },
      g: [98.5, -1],
    },
  ])("is of $name", ({ run, start, g }) => {
    const trainer = localTrainer({ ...RUN, ...run }, { ...START, ...start });
    expect(trainer.epoch([0, 1], [0.25])).toBe(5);
    const [a = 0, b = 0] = g;
    expect(firstMismatch(trainer.parameters, [1 - 0.25 * a, -0.25 * b], EXACT)).toBeNull();
  });

  test("is drawn back to where the round began", () => {
    const trainer = localTrainer(RUN, { ...START, proximalMu: 0.5 });
    trainer.epoch([0, 1], [0.5]); // to (3, 1), where nothing is left to learn
    expect(trainer.epoch([0, 1], [0.25])).toBe(0);
    // g = 0.5 * ((3, 1) - (1, 0))
    expect(firstMismatch(trainer.parameters, [3 - 0.25, 1 - 0.125], EXACT)).toBeNull();
  });

  test("has its own rate, and the epoch's loss is a mean over rows", () => {
    const trainer = localTrainer({ ...RUN, batchSize: 1 }, START);
    // Row 0: error -3, g = (-6, -6), to (1.6, 0.6); row 1 at (1.6, 0.6): error 1, g = (-2, 2), rate 0.
    expect(trainer.epoch([0, 1], [0.1, 0])).toBeCloseTo((9 + 1) / 2, 12);
    expect(firstMismatch(trainer.parameters, [1.6, 0.6], EXACT)).toBeNull();
  });

  test("of no rows is none", () => {
    const trainer = localTrainer(RUN, START);
    expect(trainer.epoch([], [])).toBe(0);
    expect([...trainer.parameters]).toEqual([1, 0]);
  });
});
