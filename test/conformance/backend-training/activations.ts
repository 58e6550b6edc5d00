import { describe, expect, test } from "vitest";
import { firstMismatch } from "../../oracle/close.ts";
import { lossGradient } from "../../oracle/network.ts";
import type { BackendOf } from "../backend.ts";
import { SGD, withTrainer } from "../backend-run.ts";
import { type Problem, type ProblemShape, problem } from "../samples.ts";
import { gradientMismatch } from "./gradients.ts";

const ACTIVATIONS = ["relu", "gelu", "tanh", "identity"] as const;
const HEADS = ["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"] as const;

/**
 * One row whose hidden unit `u` has the pre-activation `z[u]` whatever x is, and the sum of all as its output.
 * The gradient of a hidden bias is the loss's derivative times the activation's slope at `z[u]`.
 */
function curve(activation: ProblemShape["activation"] & string, z: readonly number[]): Problem {
  const given = problem({ widths: [1, z.length, 1], head: "mean-squared-error", activation, rows: 1 });
  const parameters = Float32Array.of(...z.map(() => 0), ...z, ...z.map(() => 1), 0);
  return { ...given, parameters };
}

/** Every activation under every head, along its curve and far out. */
export function describeActivations(backend: BackendOf): void {
  describe.each(ACTIVATIONS)("the activation %s", (activation) => {
    test.each(HEADS)("has its gradient under %s", async (head) => {
      expect(
        await gradientMismatch(
          backend(),
          problem({ widths: [5, 9, 6, 4], head, activation, rows: 33, seed: 11 }),
        ),
      ).toBeNull();
    });

    test("has its slope all along its curve", async () => {
      expect(
        await gradientMismatch(
          backend(),
          curve(
            activation,
            Array.from({ length: 129 }, (_, i) => (i - 64) / 8),
          ),
        ),
      ).toBeNull();
    });

    test("has its slope near 0, where tanh has few digits", async () => {
      const small = Array.from({ length: 33 }, (_, i) => (i - 16) * 2 ** (-4 - (i % 12)));
      expect(await gradientMismatch(backend(), curve(activation, small))).toBeNull();
    });

    test("is flat or straight far out, and a number", async () => {
      const far = [10, 20, 50, 90, 100, 1e3, 1e4].flatMap((z) => [z, -z]);
      const given = curve(activation, far);
      const { network, parameters, examples } = given;
      const expected = lossGradient(network, parameters, examples, [0]);
      const found = await withTrainer(backend(), given, SGD, (trainer) =>
        trainer.gradient(Uint32Array.of(0)),
      );
      // Sums of fourteen units err by 16 * 2^-23 of them; slopes, which the last bias's gradient multiplies, by less.
      const tolerance = { rtol: 1e-5, atol: 1e-5 * Math.abs(expected.gradient.at(-1) ?? 0) };
      expect(firstMismatch([found.loss], [expected.loss], { rtol: 1e-5, atol: 0 })).toBeNull();
      expect(firstMismatch(found.gradient, expected.gradient, tolerance)).toBeNull();
    });
  });
}
