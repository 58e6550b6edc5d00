import { describe, expect, test } from "vitest";
import { euclideanNorm } from "../../../coordinator/aggregation/norm.ts";
import { openStrategy } from "../../../coordinator/aggregation/open-strategy.ts";
import type { ClientUpdate } from "../../../coordinator/aggregation/strategy.ts";
import { randomStream, shuffledIndices } from "../../../protocol/random.ts";

const fedavg = openStrategy({ kind: "fedavg" });

async function* inTurn(updates: readonly ClientUpdate[]): AsyncGenerator<ClientUpdate> {
  yield* updates;
}

function update(exampleCount: number, delta: readonly number[]): ClientUpdate {
  return { exampleCount, delta: Float32Array.from(delta) };
}

function aggregate(parameters: readonly number[], updates: readonly ClientUpdate[]): Promise<Float32Array> {
  return fedavg.aggregate(Float32Array.from(parameters), inTurn(updates));
}

/** Every float32 is a whole number of these; as such numbers, sums are exact. */
const units = (value: number): bigint => BigInt(value * 2 ** 149);

/** Distance from |value| to the next float32 away from zero. */
function ulp(value: number): number {
  const float = Float32Array.of(Math.abs(value));
  const bits = new Uint32Array(float.buffer);
  bits[0] = (bits[0] ?? 0) + 1;
  return (float[0] ?? 0) - Math.abs(value);
}

/** Whether `actual` is the float32 nearest to `x + sum n d / sum n`, up to a millionth of an ulp. */
function isNearest(actual: number, x: number, terms: readonly (readonly [n: number, d: number])[]): boolean {
  const examples = BigInt(terms.reduce((sum, [n]) => sum + n, 0));
  const exact = terms.reduce((sum, [n, d]) => sum + BigInt(n) * units(d), units(x) * examples);
  const error = units(actual) * examples - exact;
  const distance = error < 0n ? -error : error;
  return 2n * distance * 1_000_000n <= examples * units(ulp(actual)) * 1_000_002n;
}

/** Deltas of mixed sign over six orders of magnitude, from a fixed seed. */
function randomUpdates(count: number, length: number): ClientUpdate[] {
  const next = randomStream(7, 1);
  const value = (): number => (next() / 2 ** 31 - 1) * 10 ** ((next() % 7) - 6);
  return Array.from({ length: count }, () =>
    update(
      1 + (next() % 5000),
      Array.from({ length }, () => value()),
    ),
  );
}

describe("fedavg", () => {
  test("adds the mean of the deltas weighted by examples", async () => {
    // (1 * 4 + 3 * 8) / 4 = 7 and (1 * -2 + 3 * 2) / 4 = 1
    expect(await aggregate([10, 20], [update(1, [4, -2]), update(3, [8, 2])])).toEqual(
      Float32Array.of(17, 21),
    );
  });

  test("with one update gives that node's parameters", async () => {
    expect(await aggregate([1, 2], [update(500, [0.5, -3])])).toEqual(Float32Array.of(1.5, -1));
  });

  test("rounds once: each value is the float32 nearest to the exact rational mean", async () => {
    const parameters = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
    const updates = randomUpdates(50, 300);
    const next = await fedavg.aggregate(parameters, inTurn(updates));
    const wrong = [...next].filter(
      (value, i) =>
        !isNearest(
          value,
          parameters[i] ?? 0,
          updates.map(({ exampleCount, delta }) => [exampleCount, delta[i] ?? 0] as const),
        ),
    );
    expect(wrong).toEqual([]);
  });

  test("the same updates in the same order give the same bits, in another order at most one ulp else", async () => {
    const parameters = new Float32Array(200);
    const updates = randomUpdates(40, 200);
    const first = await fedavg.aggregate(parameters, inTurn(updates));
    expect(await fedavg.aggregate(parameters, inTurn(updates))).toEqual(first);
    for (let seed = 0; seed < 5; seed++) {
      const order = [...shuffledIndices(updates.length, randomStream(seed, 2))];
      const shuffled = order.flatMap((i) => updates[i] ?? []);
      const other = await fedavg.aggregate(parameters, inTurn(shuffled));
      expect([...other].filter((value, i) => Math.abs(value - (first[i] ?? 0)) > ulp(value))).toEqual([]);
    }
  });

  test("small deltas beside large ones that cancel are kept", async () => {
    // In float32 1e8 + 1 is 1e8, and a running sum would end at 0.
    const updates = [update(1, [1e8]), update(1, [1]), update(1, [-1e8]), update(1, [1])];
    expect(await aggregate([0], updates)).toEqual(Float32Array.of(0.5));
  });

  test("the smallest float32 is averaged, not lost", async () => {
    const tiny = 2 ** -149;
    const updates = [update(1, [tiny, tiny]), update(1, [3 * tiny, -tiny])];
    expect(await aggregate([0, tiny], updates)).toEqual(Float32Array.of(2 * tiny, tiny));
  });

  test("zero deltas of either sign leave every value as it is", async () => {
    const parameters = [1, -1, 2 ** -149, 3.4e38, 0.1];
    const zeros = parameters.map(() => 0);
    const next = await aggregate(parameters, [
      update(2, zeros),
      update(
        3,
        zeros.map((zero) => -zero),
      ),
    ]);
    expect(next).toEqual(Float32Array.from(parameters));
    expect((await aggregate([-0], [update(1, [-0])]))[0] === 0).toBe(true);
  });

  test("holds one update at a time: the next may reuse the last one's buffer", async () => {
    async function* reusing(): AsyncGenerator<ClientUpdate> {
      const delta = new Float32Array(1);
      for (const value of [1, 2, 6]) {
        delta[0] = value;
        yield { delta, exampleCount: 1 };
      }
    }
    expect(await fedavg.aggregate(new Float32Array(1), reusing())).toEqual(Float32Array.of(3));
  });

  test("leaves the parameters and the deltas it was given as they were", async () => {
    const parameters = Float32Array.of(1);
    const given = update(2, [3]);
    await fedavg.aggregate(parameters, inTurn([given]));
    expect([parameters[0], given.delta[0]]).toEqual([1, 3]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "one %s in one delta is refused as non_finite, naming where it is",
    async (value) => {
      const updates = [update(1, [1, 2, 3]), update(1, [1, 2, value]), update(1, [1, 2, 3])];
      await expect(aggregate([0, 0, 0], updates)).rejects.toMatchObject({
        code: "non_finite",
        message: `delta[2] of update 1 is ${value}, wanted finite values`,
      });
    },
  );

  test("infinities of both signs do not cancel", async () => {
    const updates = [update(1, [Number.POSITIVE_INFINITY]), update(1, [Number.NEGATIVE_INFINITY])];
    await expect(aggregate([0], updates)).rejects.toMatchObject({ code: "non_finite" });
  });

  test.each([1, 3])("a delta of %i values for two parameters is shape_mismatch", async (length) => {
    const updates = [update(1, [1, 1]), { exampleCount: 1, delta: new Float32Array(length) }];
    await expect(aggregate([0, 0], updates)).rejects.toMatchObject({ code: "shape_mismatch" });
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])("an example count of %d is invalid_request", async (n) => {
    await expect(aggregate([0], [update(1, [1]), update(n, [1])])).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("a next model beyond float32 is diverged", async () => {
    await expect(aggregate([0, 3e38], [update(1, [0, 3e38])])).rejects.toMatchObject({ code: "diverged" });
  });

  test("no update at all is a broken invariant", async () => {
    await expect(aggregate([0], [])).rejects.toThrow("unreachable");
  });
});

describe("euclideanNorm", () => {
  test.each([
    { delta: [3, -4], norm: 5 },
    { delta: [], norm: 0 },
    { delta: [-0], norm: 0 },
    // Squares of these under- and overflow float32.
    { delta: [2 ** -149, 2 ** -149, 2 ** -149, 2 ** -149], norm: 2 ** -148 },
    { delta: [2 ** 127, 2 ** 127, 2 ** 127, 2 ** 127], norm: 2 ** 128 },
  ])("of $delta is $norm", ({ delta, norm }) => {
    expect(euclideanNorm(Float32Array.from(delta))).toBe(norm);
  });

  test("keeps small terms after a large one", () => {
    // A float32 sum stays at 2^24 however often 1 is added.
    const delta = new Float32Array(1 + 2 ** 20).fill(1);
    delta[0] = 2 ** 12;
    expect(euclideanNorm(delta)).toBe(Math.sqrt(2 ** 24 + 2 ** 20));
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])(
    "%s is refused as non_finite, since it exceeds no bound",
    (value) => {
      expect(() => euclideanNorm(Float32Array.of(1, value))).toThrow(`delta[1] is ${value}`);
    },
  );
});
