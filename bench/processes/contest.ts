import type { Turn } from "../page/contest.ts";
import type { Cost } from "../report/result.ts";
import { median } from "../report/spread.ts";
import type { BenchBrowser } from "./bench-browser.ts";

/** How sides take turns. */
export interface ContestPace {
  readonly sides: number;
  readonly turns: number;
  /** A turn lasts at least so long, and at least once through the work. */
  readonly leastMs: number;
}

/** How one side did. */
export interface SideTimes {
  /** How often a second the work was done, one entry a turn. */
  readonly perSecond: readonly number[];
  /** What doing it once costs, in the mean over all turns. */
  readonly wallSeconds: number;
  /** Of all processes of the browser; `null` where the system does not tell. */
  readonly cpuSeconds: number | null;
}

// Threads that wait for work spin for a moment; the next side's turn must not pay for that.
const REST_MS = 20;

async function rest(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
}

interface TimedTurn extends Turn {
  readonly cpuSeconds: number | null;
}

async function timedTurn(browser: BenchBrowser, side: number, leastMs: number): Promise<TimedTurn> {
  await rest();
  const before = await browser.processes.cpuSeconds();
  const turn = await browser.ask("turn", { side, leastMs });
  const after = await browser.processes.cpuSeconds();
  return { ...turn, cpuSeconds: before === null || after === null ? null : after - before };
}

/** Lets the sides that the worker has open take turns, one after another, `turns` times. */
export async function measureTurns(
  browser: BenchBrowser,
  { sides, turns, leastMs }: ContestPace,
): Promise<SideTimes[]> {
  const all = Array.from({ length: sides }, (): TimedTurn[] => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [side, taken] of all.entries()) taken.push(await timedTurn(browser, side, leastMs));
  }
  return all.map((taken) => {
    const times = total(taken.map((turn) => turn.times));
    const cpu = taken.map(({ cpuSeconds }) => cpuSeconds).filter((seconds) => seconds !== null);
    return {
      perSecond: taken.map((turn) => turn.times / turn.seconds),
      wallSeconds: total(taken.map(({ seconds }) => seconds)) / times,
      cpuSeconds: cpu.length < taken.length ? null : total(cpu) / times,
    };
  });
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

const MILLION = 1e6;

/** Rows a second when the work is once through `rows`, one entry a turn. */
export function rowRates({ perSecond }: SideTimes, rows: number): number[] {
  return perSecond.map((rate) => rate * rows);
}

/** Rows a second in the median turn, and what a million rows cost. */
export function rowRate(side: SideTimes, rows: number): { readonly measured: number; readonly cost: Cost } {
  const times = MILLION / rows;
  const { wallSeconds, cpuSeconds } = side;
  return {
    measured: median(rowRates(side, rows)),
    cost: {
      of: "1M rows",
      wallSeconds: wallSeconds * times,
      cpuSeconds: cpuSeconds === null ? null : cpuSeconds * times,
    },
  };
}
