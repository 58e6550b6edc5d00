import { describe, expect, test } from "vitest";
import { problem } from "../../conformance/samples.ts";
import { errorBounds } from "../../oracle/bounds/error-bounds.ts";
import { firstOutside } from "../../oracle/close.ts";
import { lossGradient, type Network, outputsOf } from "../../oracle/network.ts";

const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;
const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const PAIRS = HEADS.flatMap((head) => ACTIVATIONS.map((activation) => ({ head, activation })));
const ROWS = Array.from({ length: 40 }, (_, r) => r);

describe("the bounds of float32's errors", () => {
  test.each(PAIRS)("are narrow: $activation, $head", (pair) => {
    const { network, parameters, examples } = problem({ widths: [5, 9, 6, 4], rows: 40, seed: 11, ...pair });
    const bounds = errorBounds(network, parameters, examples, ROWS);
    const { gradient, loss } = lossGradient(network, parameters, examples, ROWS);
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(bounds.loss / loss).toBeLessThan(1e-4);
    // Whatever the seed: a unit within its error of ReLU's kink widens the bounds of its weights, and no others.
    const sorted = bounds.gradient.toSorted();
    expect((sorted[Math.floor(sorted.length / 2)] ?? 1) / largest).toBeLessThan(1e-4);
  });

  test.each(PAIRS)("hold for parameters moved by a rounding each: $activation, $head", (pair) => {
    // A parameter that is off by 2^-23 of itself is a product in `dense` that is: among what the bounds allow.
    const { network, parameters, examples } = problem({ widths: [5, 9, 6, 4], rows: 40, seed: 12, ...pair });
    const moved = Float64Array.from(
      parameters,
      (value, i) => value * (1 + (i % 2 === 0 ? 1 : -1) * 2 ** -23),
    );
    const bounds = errorBounds(network, parameters, examples, ROWS);
    const [exact, found] = [parameters, moved].map((at) => ({
      outputs: outputsOf(network, at, examples.x, ROWS),
      ...lossGradient(network, at, examples, ROWS),
    }));
    if (exact === undefined || found === undefined) throw new Error("unreachable: two of two");
    expect(firstOutside(found.outputs, exact.outputs, bounds.outputs)).toBeNull();
    expect(firstOutside([found.loss], [exact.loss], [bounds.loss])).toBeNull();
    expect(firstOutside(found.gradient, exact.gradient, bounds.gradient)).toBeNull();
  });

  test("tell GELU by the error function from its tanh form", () => {
    // The two differ by 1.4e-4 at 0.8: Phi(0.8) = 0.78814460.
    const network: Network = { widths: [1, 1, 1], head: "mean-squared-error", activation: "gelu" };
    const parameters = [1, 0, 1, 0];
    const examples = { x: [0.8], targets: [0] };
    const { outputs } = errorBounds(network, parameters, examples, [0]);
    const [y = 0] = outputsOf(network, parameters, examples.x, [0]);
    expect(Math.abs(y - 0.8 * 0.788144601)).toBeGreaterThan(20 * (outputs[0] ?? 1));
  });

  test("allow either slope where a pre-activation is within its error of ReLU's kink", () => {
    // 3 * (1 / 3 rounded to float32) - 1 is 3e-8: rounding decides on which side of 0 it is.
    const network: Network = { widths: [1, 1, 1], head: "mean-squared-error", activation: "relu" };
    const parameters = [Math.fround(1 / 3), -1, 1, 0];
    const examples = { x: [3], targets: [1] };
    const bounds = errorBounds(network, parameters, examples, [0]);
    const { gradient } = lossGradient(network, parameters, examples, [0]);
    expect(gradient[1]).toBeCloseTo(-2, 6);
    expect(firstOutside([0], [gradient[1] ?? 0], [bounds.gradient[1] ?? 0])).toBeNull();
  });
});
