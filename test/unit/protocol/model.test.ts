import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { initialise, ModelSpec, parameterCount, parameterLayout } from "../../../protocol/model.ts";

const SPEC: ModelSpec = {
  inputs: 7,
  hidden: [64, 32],
  outputs: 3,
  activation: "relu",
  head: "softmax-cross-entropy",
};

describe("the parameter layout", () => {
  test("has each layer's weight rows, then its bias, without gaps", () => {
    expect(parameterLayout(SPEC)).toEqual([
      { inputs: 7, outputs: 64, weightAt: 0, biasAt: 448 },
      { inputs: 64, outputs: 32, weightAt: 512, biasAt: 2560 },
      { inputs: 32, outputs: 3, weightAt: 2592, biasAt: 2688 },
    ]);
    expect(parameterCount(SPEC)).toBe(7 * 64 + 64 + 64 * 32 + 32 + 32 * 3 + 3);
  });

  test("of a model without hidden layers is one layer", () => {
    const linear = { ...SPEC, hidden: [], outputs: 1 };
    expect(parameterLayout(linear)).toEqual([{ inputs: 7, outputs: 1, weightAt: 0, biasAt: 7 }]);
    expect(parameterCount(linear)).toBe(8);
  });
});

describe("initial parameters", () => {
  test("have the bits of an independent implementation", () => {
    // CPython 3.11, exact integers for philox and struct.pack("<f") for the rounding.
    const bytes = new Uint8Array(initialise(SPEC, 42).buffer);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "c6f398fdf6565be65925b54fdc2c970594b51dc3688c153b6dc4d91eaf555548",
    );
  });

  test("are in Glorot's ranges before tanh and identity", () => {
    const limits = [Math.sqrt(6 / (7 + 64)), Math.sqrt(6 / (64 + 32))];
    for (const activation of ["tanh", "identity"] as const) {
      const parameters = initialise({ ...SPEC, activation }, 3);
      limits.forEach((limit, l) => {
        const { weightAt = 0, biasAt = 0 } = parameterLayout(SPEC)[l] ?? {};
        const most = parameters.subarray(weightAt, biasAt).reduce((max, w) => Math.max(max, Math.abs(w)), 0);
        expect(most).toBeLessThanOrEqual(limit * (1 + 2 ** -24));
        expect(most).toBeGreaterThan(0.9 * limit);
      });
    }
  });

  test("are another set for another seed", () => {
    expect(initialise(SPEC, 1)).not.toEqual(initialise(SPEC, 2));
  });

  test("have zero biases, and weights that fill He's and Glorot's ranges and stay in them", () => {
    const parameters = initialise(SPEC, 3);
    const limits = [Math.sqrt(6 / 7), Math.sqrt(6 / 64), Math.sqrt(6 / (32 + 3))];
    parameterLayout(SPEC).forEach(({ outputs, weightAt, biasAt }, l) => {
      const limit = limits[l] ?? 0;
      const weights = parameters.subarray(weightAt, biasAt);
      expect(parameters.subarray(biasAt, biasAt + outputs).every((bias) => bias === 0)).toBe(true);
      // Rounding to float32 may pass the limit by half an ulp.
      const most = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
      expect(most).toBeLessThanOrEqual(limit * (1 + 2 ** -24));
      // Of 96 uniform values or more, all lie below 0.9 of the limit once in 25,000 seeds.
      expect(most).toBeGreaterThan(0.9 * limit);
      const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
      // The mean of n has standard deviation limit / sqrt(3 n); five of them.
      expect(Math.abs(mean)).toBeLessThan((5 * limit) / Math.sqrt(3 * weights.length));
    });
  });
});

describe("a model's description", () => {
  test("is accepted as it is", () => {
    expect(ModelSpec.parse(SPEC)).toEqual(SPEC);
  });

  test.each([
    ["no inputs", { inputs: 0 }],
    ["half an output", { outputs: 1.5 }],
    ["an empty layer", { hidden: [64, 0] }],
    ["a layer beyond 2,048", { hidden: [2049] }],
    ["nine hidden layers", { hidden: Array.from({ length: 9 }, () => 2) }],
    ["another activation", { activation: "swish" }],
    ["an odd Gaussian head", { head: "gaussian", outputs: 3 }],
    ["another head", { head: "hinge" }],
    ["an unknown key", { dropout: 0.5 }],
  ])("is refused for %s", (_what, change) => {
    expect(ModelSpec.safeParse({ ...SPEC, ...change }).success).toBe(false);
  });
});
