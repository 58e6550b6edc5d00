const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // golden ratio
const WEYL_1 = 0xbb67ae85; // sqrt(3) - 1
const ROUNDS = 10;

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/** Four unsigned 32-bit words. */
export type Words = readonly [number, number, number, number];

/**
 * Philox 4x32-10: four random words for `counter` under `key`. Counter-based, so any value of a stream is
 * computed directly, on either side of the wire, with the same bits.
 *
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11.
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What a stream is for; a different purpose under the same seed is an independent stream. */
export const STREAMS = { initialise: 1, shuffle: 2, assign: 3, dropout: 4 } as const;

/**
 * An endless stream of unsigned 32-bit integers.
 *
 * @param seed the task's seed, an unsigned 32-bit integer
 * @param stream one of `STREAMS`
 * @param index up to two further words that tell streams apart, such as round and local epoch
 */
export function randomStream(
  seed: number,
  stream: number,
  index: readonly [number?, number?] = [],
): () => number {
  const key = [seed >>> 0, stream >>> 0] as const;
  const [high = 0, low = 0] = index;
  let block = 0;
  let at = 4;
  let words: Words = [0, 0, 0, 0];
  return () => {
    if (at === 4) {
      words = philox([block >>> 0, 0, high >>> 0, low >>> 0], key);
      block += 1;
      at = 0;
    }
    return words[at++ as 0 | 1 | 2 | 3];
  };
}

/**
 * A permutation of `0 … length - 1` by Fisher and Yates; all orders equally likely up to the generator's
 * 32 bits (modulo bias below `length / 2^32`).
 */
export function shuffledIndices(length: number, next: () => number): Uint32Array<ArrayBuffer> {
  const indices = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor((next() / 2 ** 32) * (i + 1));
    const held = indices[i] ?? 0;
    indices[i] = indices[j] ?? 0;
    indices[j] = held;
  }
  return indices;
}
