import { describe, expect, test } from "vitest";
import { philox, randomStream, STREAMS, shuffledIndices, type Words } from "../../../protocol/random.ts";

function words(hex: string): Words {
  const [a = 0, b = 0, c = 0, d = 0] = hex.split(" ").map((word) => Number.parseInt(word, 16));
  return [a, b, c, d];
}

function take(count: number, next: () => number): number[] {
  return Array.from({ length: count }, next);
}

describe("philox 4x32-10", () => {
  // Random123 1.14.0, tests/kat_vectors, lines "philox4x32 10".
  test.each([
    ["00000000 00000000 00000000 00000000", [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", [0xffffffff, 0xffffffff], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ] as const)("gives Random123's known answer for counter %s", (counter, key, answer) => {
    expect(philox(words(counter), key)).toEqual(words(answer));
  });
});

describe("a random stream", () => {
  test("gives the bits of an independent implementation", () => {
    // CPython 3.11 with exact integers: philox of counters (block, 0, 3, 1) under key (42, 2).
    const expected = [2387186179, 2574362830, 3884597578, 2286214530, 3339138560, 1590542544];
    expect(take(6, randomStream(42, STREAMS.shuffle, [3, 1]))).toEqual(expected);
  });

  test("is another for every seed, purpose and index", () => {
    const first = [
      randomStream(1, STREAMS.shuffle, [1, 2]),
      randomStream(2, STREAMS.shuffle, [1, 2]),
      randomStream(1, STREAMS.assign, [1, 2]),
      randomStream(1, STREAMS.shuffle, [2, 1]),
      randomStream(1, STREAMS.shuffle, [1]),
      randomStream(1, STREAMS.shuffle),
    ].map((next) => take(2, next).join());
    expect(new Set(first).size).toBe(first.length);
  });

  test("gives unsigned 32-bit integers with every bit set half of the time", () => {
    const count = 40_000;
    const values = take(count, randomStream(7, 0));
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    for (let bit = 0; bit < 32; bit++) {
      const set = values.filter((value) => (value >>> bit) & 1).length;
      // Binomial: standard deviation sqrt(count) / 2 = 100; five of them.
      expect(Math.abs(set - count / 2)).toBeLessThan(500);
    }
  });
});

describe("shuffled indices", () => {
  test("are the permutation of an independent implementation", () => {
    // The same Fisher and Yates in CPython, from the stream above.
    const indices = shuffledIndices(10, randomStream(42, STREAMS.shuffle, [3, 1]));
    expect([...indices]).toEqual([6, 2, 8, 0, 1, 4, 3, 7, 9, 5]);
  });

  test.each([0, 1, 2, 1000])("of length %i are every index once", (length) => {
    const indices = shuffledIndices(length, randomStream(1, 0));
    expect([...indices].toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
  });

  test("have every order of four equally often", () => {
    const orders = new Map<string, number>();
    const trials = 24_000;
    for (let trial = 0; trial < trials; trial++) {
      const order = shuffledIndices(4, randomStream(trial, STREAMS.shuffle)).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    const expected = trials / 24;
    const chiSquared = [...orders.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 23 degrees of freedom: 49.7 is exceeded once in a thousand seeds; this seed is fixed.
    expect(chiSquared).toBeLessThan(49.7);
  });

  test("do not leave the first or last place to its own index", () => {
    // A frequent slip is never to draw j = i: then no index stays.
    const trials = 2000;
    let stayed = 0;
    for (let trial = 0; trial < trials; trial++) {
      if (shuffledIndices(5, randomStream(trial, 9))[4] === 4) stayed += 1;
    }
    // Mean 400, standard deviation sqrt(2000 * 0.2 * 0.8) = 18.
    expect(Math.abs(stayed - trials / 5)).toBeLessThan(90);
  });
});
