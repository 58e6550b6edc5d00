import { describe, expect, test } from "vitest";
import { problem } from "../../conformance/samples.ts";
import { firstMismatch } from "../../oracle/close.ts";
import { lossGradient, meanLoss, type Network, outputsOf } from "../../oracle/network.ts";
import { dropoutFactor } from "../../oracle/philox.ts";

const ROWS = Array.from({ length: 12 }, (_, r) => r);
const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;
const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const PAIRS = HEADS.flatMap((head) => ACTIVATIONS.map((activation) => ({ head, activation })));

type Given = ReturnType<typeof problem>;

/** Slopes of the mean loss by central differences. */
function slopesOf(network: Network, { parameters, examples }: Given): Float64Array {
  const h = 1e-5;
  return Float64Array.from(parameters, (_, i) => {
    const lossAt = (by: number): number => {
      const moved = Float64Array.from(parameters, (value, j) => (i === j ? value + by : value));
      return meanLoss(network, moved, examples, ROWS);
    };
    return (lossAt(h) - lossAt(-h)) / (2 * h);
  });
}

// Central differences err by h^2 / 6 of the third derivative (here below 1000) and 2^-52 / h of the loss.
const TOLERANCE = { rtol: 1e-6, atol: 2e-8 };

describe("the judge's gradient", () => {
  test.each(PAIRS)("is the slope of its loss: $activation, $head", ({ activation, head }) => {
    const given = problem({ widths: [4, 6, 5, 4], head, activation, rows: 12, seed: 31 });
    const network: Network = { ...given.network, huberDelta: 0.7, classWeights: [0.5, 0, 3, 1] };
    const { gradient } = lossGradient(network, given.parameters, given.examples, ROWS);
    expect(firstMismatch(gradient, slopesOf(network, given), TOLERANCE)).toBeNull();
  });

  test.each(HEADS)("is the slope of its loss without hidden layers: %s", (head) => {
    const given = problem({ widths: [3, 4], head, rows: 12, seed: 32 });
    const { gradient } = lossGradient(given.network, given.parameters, given.examples, ROWS);
    expect(firstMismatch(gradient, slopesOf(given.network, given), TOLERANCE)).toBeNull();
  });

  test.each(ACTIVATIONS)("is the slope of its loss in a thinned network: %s", (activation) => {
    const shape = { widths: [4, 9, 6, 2], head: "mean-squared-error", rows: 12, seed: 33 } as const;
    const given = problem({ ...shape, activation });
    const thinned = dropoutFactor({ dropout: 0.4, seed: 5, step: 2 });
    const network = { ...given.network, thinned };
    const { gradient } = lossGradient(network, given.parameters, given.examples, ROWS);
    expect(firstMismatch(gradient, slopesOf(network, given), TOLERANCE)).toBeNull();
    const whole = lossGradient(given.network, given.parameters, given.examples, ROWS);
    expect(firstMismatch(gradient, whole.gradient, TOLERANCE)).not.toBeNull();
  });
});

/** Loss and gradient by the outputs of one row: a network of zero weights gives its biases. */
function atOutputs(network: Omit<Network, "widths">, outputs: readonly number[], targets: readonly number[]) {
  const wide = { ...network, widths: [1, outputs.length] };
  const parameters = [...outputs.map(() => 0), ...outputs];
  const { loss, gradient } = lossGradient(wide, parameters, { x: [0], targets }, [0]);
  return { loss, delta: [...gradient.subarray(outputs.length)] };
}

describe("the judge's heads", () => {
  test("a Huber error counts squared up to delta and by its length beyond", () => {
    const found = atOutputs({ head: "huber", huberDelta: 2 }, [1, 2, -5], [0, 0, 0]);
    expect(found.loss).toBeCloseTo((0.5 + 2 + 2 * (5 - 1)) / 3, 12);
    expect(found.delta).toEqual([1 / 3, 2 / 3, -2 / 3]);
  });

  test("a Gaussian's log-variance counts as within 14 of 0, its derivative is that at the bound", () => {
    const found = atOutputs({ head: "gaussian" }, [1, 3, 40, -40], [0, 2.5]);
    const [low, high] = [Math.exp(-14), Math.exp(14)];
    expect(found.loss).toBeCloseTo((14 + low - 14 + 0.25 * high) / 4, 6);
    const expected = [low, 0.5 * high, (1 - low) / 2, (1 - 0.25 * high) / 2].map((value) => value / 2);
    expect(firstMismatch(found.delta, expected, { rtol: 1e-14, atol: 0 })).toBeNull();
  });

  test("a class's weight is the factor of its rows' loss", () => {
    const plain = atOutputs({ head: "softmax-cross-entropy" }, [1, 2, 3], [1]);
    const weighted = atOutputs({ head: "softmax-cross-entropy", classWeights: [9, 4, 9] }, [1, 2, 3], [1]);
    expect(weighted).toEqual({ loss: 4 * plain.loss, delta: plain.delta.map((value) => 4 * value) });
  });
});

test("activations have the values of their formulae", () => {
  const network = (activation: Network["activation"]): Network => ({
    widths: [1, 1, 1],
    head: "mean-squared-error",
    ...(activation ? { activation } : {}),
  });
  const at = (activation: Network["activation"], z: number) =>
    outputsOf(network(activation), [1, 0, 1, 0], [z], [0])[0];
  expect([at("relu", -2), at("relu", 2), at("identity", -2)]).toEqual([0, 2, -2]);
  expect(at("tanh", 0.5)).toBeCloseTo((Math.E - 1) / (Math.E + 1), 14);
  // Computed with Python from the formula.
  expect(at("gelu", 1)).toBeCloseTo(0.8411919906082768, 12);
  expect(at("gelu", -2)).toBeCloseTo(-0.04540230591222, 10);
});
