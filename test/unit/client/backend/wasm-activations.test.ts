import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import type { Activation } from "../../../../protocol/model.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { SGD, withTrainer } from "../../../conformance/backend-run.ts";
import { inOrder, problem } from "../../../conformance/samples.ts";
import { activate, activationSlope, geluArgument } from "../../../oracle/activations.ts";

const bytes = readFileSync(new URL("../../../../wasm/dist/kernels.wasm", import.meta.url));
const UNIT = 2 ** -24; // unit roundoff of float32

/** Both signs of values from 2^-100 to 16, close to one another where curves bend. */
const ARGUMENTS = Float32Array.from(
  [
    ...Array.from({ length: 100 }, (_, i) => 2 ** -i),
    ...Array.from({ length: 40_000 }, (_, i) => i / 2500),
  ].flatMap((z) => [z, -z]),
);

const SOME = ARGUMENTS.filter((_, i) => i % 37 === 0);

/** One hidden unit and one output, both of weight 1. */
const PARAMETERS = Float32Array.of(1, 0, 1, 0);

/** Activations: the outputs of every value as a row. */
async function curve(
  activation: Activation,
  z: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const shape = { widths: [1, 1, 1], head: "mean-squared-error", activation, rows: z.length } as const;
  const given = { ...problem(shape), x: z, parameters: PARAMETERS };
  const backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
  return withTrainer(backend, given, SGD, (trainer) => trainer.outputs());
}

/** Slopes: the derivative of a row's loss by the hidden bias, where the loss's by the output is -1, as Huber's is. */
async function slopes(activation: Activation, z: Float32Array<ArrayBuffer>): Promise<number[]> {
  const values = new Float32Array(z.length).fill(2 ** 127.9);
  const shape = { widths: [1, 1, 1], head: "huber", activation, rows: z.length } as const;
  const given = {
    ...problem(shape),
    x: z,
    targets: { kind: "value", values },
    parameters: PARAMETERS,
  } as const;
  const backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
  return withTrainer(backend, given, SGD, async (trainer) => {
    const found: number[] = [];
    for (const row of inOrder(z.length)) {
      const { gradient } = await trainer.gradient(Uint32Array.of(row));
      found.push(-(gradient[1] ?? 0));
    }
    return found;
  });
}

/** The largest error, as a share of what is allowed. */
function worst(
  found: ArrayLike<number>,
  expected: (z: number) => number,
  allowed: (z: number) => number,
  z: Float32Array<ArrayBuffer> = ARGUMENTS,
): number {
  return z.reduce((most, value, i) => {
    const error = Math.abs((found[i] ?? 0) - expected(value));
    return Math.max(most, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / allowed(value));
  }, 0);
}

describe("activations of the kernels", () => {
  test("tanh is within 2^-21.5 of itself, however small or large", async () => {
    const found = await curve("tanh", ARGUMENTS);
    expect(worst(found, Math.tanh, (z) => 2 ** -21.5 * Math.abs(Math.tanh(z)) + 2 ** -149)).toBeLessThan(1);
  });

  test("tanh ends at 1 and -1", async () => {
    const found = await curve("tanh", Float32Array.of(10, -10, 100, -100, 3e38, -3e38));
    expect([...found]).toEqual([1, -1, 1, -1, 1, -1]);
  });

  test("gelu is within the roundings of its argument", async () => {
    const found = await curve("gelu", ARGUMENTS);
    // The argument's four roundings count twice in its exponential; six more follow. Below e^-64 it is 0.
    const allowed = (z: number): number =>
      (8 * Math.abs(geluArgument(z)) + 8) * UNIT * Math.abs(activate("gelu", z)) + 2 ** -88;
    // Math.tanh cancels where GELU is nearly 0: 2^-52 of z there.
    expect(
      worst(
        found,
        (z) => activate("gelu", z),
        (z) => allowed(z) + 2 ** -50 * Math.abs(z),
      ),
    ).toBeLessThan(1);
  });

  test("gelu of values far from 0 is 0 or the value, and has a slope", async () => {
    const far = Float32Array.of(11, -11, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38);
    expect(Array.from(await curve("gelu", far), Math.abs)).toEqual(Array.from(far, (z) => Math.max(z, 0)));
    expect((await slopes("gelu", far)).map(Math.abs)).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
  });

  test("the slope of tanh is within 2^-21 of itself, also where tanh is 1 to float32", async () => {
    const found = await slopes("tanh", SOME);
    const expected = (z: number): number => activationSlope("tanh", z);
    expect(worst(found, expected, (z) => 2 ** -21 * expected(z) + 2 ** -88, SOME)).toBeLessThan(1);
  });

  test("the slope of gelu is within 2^-20", async () => {
    const found = await slopes("gelu", SOME);
    // Where its bend is largest, 0.5 at |u| = 1, the exponential in it errs by ten roundings, and six follow.
    expect(
      worst(
        found,
        (z) => activationSlope("gelu", z),
        () => 2 ** -20,
        SOME,
      ),
    ).toBeLessThan(1);
  });
});
