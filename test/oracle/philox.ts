const WORD = 0xffffffffn;
const MULTIPLIERS = [0xd2511f53n, 0xcd9e8d57n] as const;
const WEYL = [0x9e3779b9n, 0xbb67ae85n] as const; // golden ratio, sqrt(3) - 1
const ROUNDS = 10;

/**
 * Philox 4x32-10: four words of 32 bits for a counter under a key.
 *
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11, section 3.3.
 */
export function philox4x32(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < ROUNDS; round++) {
    const product0 = MULTIPLIERS[0] * c0;
    const product1 = MULTIPLIERS[1] * c2;
    [c0, c1, c2, c3] = [
      (product1 >> 32n) ^ c1 ^ k0,
      product1 & WORD,
      (product0 >> 32n) ^ c3 ^ k1,
      product0 & WORD,
    ];
    k0 = (k0 + WEYL[0]) & WORD;
    k1 = (k1 + WEYL[1]) & WORD;
  }
  return [c0, c1, c2, c3].map(Number);
}

const DROPOUT_STREAM = 4;

/** Dropout in one step. */
export interface DropoutStep {
  /** Probability with which a unit is dropped. */
  readonly dropout: number;
  /** Unsigned 32-bit integer. */
  readonly seed: number;
  /** From 0. */
  readonly step: number;
}

/**
 * The factor of hidden unit `u` of hidden layer `l` for the row at `place` of the batch: 0 when word `u % 4` of
 * `philox([floor(u / 4), place, step, l], [seed, 4])` is below `floor(dropout * 2^32)`, else `1 / (1 - dropout)`.
 */
export function dropoutFactor({
  dropout,
  seed,
  step,
}: DropoutStep): (place: number, l: number, u: number) => number {
  const end = Math.floor(dropout * 2 ** 32);
  const blocks = new Map<string, number[]>();
  return (place, l, u) => {
    const counter = [Math.floor(u / 4), place, step, l];
    const name = counter.join();
    const words = blocks.get(name) ?? philox4x32(counter, [seed, DROPOUT_STREAM]);
    blocks.set(name, words);
    return words[u % 4] < end ? 0 : 1 / (1 - dropout);
  };
}
