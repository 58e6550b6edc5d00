import { describe, expect, test } from "vitest";
import { dropoutFactor, philox4x32 } from "../../oracle/philox.ts";

describe("the judge's philox", () => {
  // kat_vectors of Random123 1.14, philox4x32, 10 rounds.
  test.each([
    {
      counter: [0, 0, 0, 0],
      key: [0, 0],
      words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])("gives the known words of counter $counter", ({ counter, key, words }) => {
    expect(philox4x32(counter, key)).toEqual(words);
  });
});

describe("the judge's dropout", () => {
  test("drops a unit when its word is below the share", () => {
    const factor = dropoutFactor({ dropout: 0.25, seed: 7, step: 3 });
    const [, , word = 0] = philox4x32([2, 5, 3, 1], [7, 4]);
    expect(factor(5, 1, 10)).toBe(word < 2 ** 30 ? 0 : 1 / 0.75);
  });

  test("drops the share that it is told to", () => {
    const factor = dropoutFactor({ dropout: 0.3, seed: 9, step: 0 });
    const factors = Array.from({ length: 4000 }, (_, i) => factor(i % 40, 0, Math.floor(i / 40)));
    const dropped = factors.filter((value) => value === 0).length;
    // Five standard deviations of 4000 draws: 5 * sqrt(4000 * 0.3 * 0.7) = 145.
    expect(Math.abs(dropped - 1200)).toBeLessThan(145);
    expect(new Set(factors)).toEqual(new Set([0, 1 / 0.7]));
  });
});
