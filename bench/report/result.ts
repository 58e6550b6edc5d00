/** Bounds on what was measured, or on its ratio to the peer's. The bound itself meets `at least`, not `below`. */
export interface Target {
  readonly of: "measured" | "ratio";
  readonly bound: "at least" | "below";
  readonly value: number;
}

/** What a unit of work costs besides its place in the table; `null` where it could not be measured. */
export interface Cost {
  /** Which unit. */
  readonly of: string;
  readonly wallSeconds: number;
  /** Of all processes of the browser. */
  readonly cpuSeconds: number | null;
}

/** One line of the results table. */
export interface Result {
  /** What was done, with its shape. */
  readonly what: string;
  readonly measured: number;
  readonly unit: "rows/s" | "records/s" | "GB/s" | "GFLOP/s" | "ms" | "s" | "MiB" | "x the shard" | "share";
  /** How the figure came about: runs and spread. */
  readonly detail: string;
  /** Another program on the same work, in the same unit. */
  readonly peer: { readonly name: string; readonly measured: number; readonly cost?: Cost } | null;
  readonly target: Target | null;
  readonly cost?: Cost;
}

/** Results of one area, with what a reader must know of how they were taken. */
export interface AreaResults {
  readonly title: string;
  readonly method: string;
  readonly results: readonly Result[];
}

/** `measured / peer.measured`, or `null` without a peer. */
export function ratio({ measured, peer }: Result): number | null {
  return peer === null ? null : measured / peer.measured;
}

/** Whether the target is met; `null` where there is none. */
export function isMet(result: Result): boolean | null {
  const { target } = result;
  if (target === null) return null;
  const found = target.of === "ratio" ? (ratio(result) ?? Number.NaN) : result.measured;
  return target.bound === "at least" ? found >= target.value : found < target.value;
}
