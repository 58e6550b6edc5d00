/** One of those that are compared: something it does again and again. */
export interface Contestant {
  /** The work once, done when it resolves. @returns a figure by which the sides are compared, such as a loss */
  once(): Promise<number>;
  dispose(): void;
}

/** How often a side did its work in a turn, and how long that took. */
export interface Turn {
  readonly times: number;
  readonly seconds: number;
  /** What the last one gave. */
  readonly last: number;
}

/** Which side has its turn: the work at least once, and again until `leastMs` have passed. */
export interface TurnWish {
  readonly side: number;
  readonly leastMs: number;
}

let contestants: readonly Contestant[] = [];

/** Those that take turns from now on. */
export function enter(all: readonly Contestant[]): void {
  contestants = all;
}

/** One side's turn; nobody else works meanwhile. */
export async function turn({ side, leastMs }: TurnWish): Promise<Turn> {
  const contestant = contestants[side];
  if (!contestant) throw new Error(`no side ${side}; there are ${contestants.length}`);
  const startMs = performance.now();
  let times = 0;
  let last: number;
  let ms: number;
  do {
    last = await contestant.once();
    times += 1;
    ms = performance.now() - startMs;
  } while (ms < leastMs);
  return { times, seconds: ms / 1000, last };
}
