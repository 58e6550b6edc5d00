import type { JSX } from "preact";
import type { RoundStatus } from "../../../protocol/rounds.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import { closedRounds } from "../campaign-figures.ts";
import { formatDuration, formatLoss, UNKNOWN } from "../format.ts";
import { type Metric, metricsOf } from "../score.ts";
import { type ChartSeries, LineChart, lastKnown } from "./line-chart.tsx";

/** Props of the charts. */
export interface ChartsProps {
  readonly campaign: TaskStatus;
  readonly rounds: readonly RoundStatus[];
  /** Rounds of the centralised run; empty without one. */
  readonly central: readonly RoundStatus[];
}

/** A campaign planned longer than this is drawn as far as it went, or its first hours would be a dot. */
const LONGEST_FRAME = 200;

/** The main score by round beside that of the centralised run. */
export function ScoreChart({ campaign, rounds, central }: ChartsProps): JSX.Element {
  const [metric] = metricsOf(campaign.task.label);
  const closed = closedRounds(rounds);
  const numbers = roundNumbers(closed, closedRounds(central));
  const reference = centralSeries(metric, campaign, { numbers, central });
  const own: ChartSeries = {
    label: "Nodes together",
    tone: "blue",
    dashed: false,
    values: byRound(numbers, closed, (round) => metric.of(round.score)),
  };
  const last = lastKnown(own.values);
  const goal = reference === null ? "" : `; centralised run ${metric.format(lastKnown(reference.values))}`;
  return (
    <LineChart
      title={`${metric.label} by round`}
      summary={`${metric.label} on held-out rows over ${closed.length} rounds, now ${metric.format(last)}${goal}.`}
      rounds={numbers}
      horizon={horizon(campaign, numbers)}
      series={reference === null ? [own] : [own, reference]}
      format={metric.format}
      formatTick={campaign.task.label.kind === "class" ? percentTick : plainTick}
    />
  );
}

/** Training and held-out loss by round. */
export function LossChart({ campaign, rounds }: ChartsProps): JSX.Element {
  const closed = closedRounds(rounds);
  const numbers = closed.map(({ round }) => round);
  const training = closed.map(({ loss }) => loss);
  const heldOut = closed.map(({ score }) => score?.loss ?? null);
  return (
    <LineChart
      title="Loss by round"
      summary={`Loss over ${closed.length} rounds: training now ${formatLoss(lastKnown(training))}, held-out ${formatLoss(lastKnown(heldOut))}.`}
      rounds={numbers}
      horizon={horizon(campaign, numbers)}
      series={[
        { label: "Held-out rows", tone: "blue", dashed: false, values: heldOut },
        { label: "Training rows", tone: "quiet", dashed: false, values: training },
      ]}
      format={formatLoss}
      formatTick={plainTick}
    />
  );
}

/** Wall time of each round. */
export function TimeChart({ campaign, rounds }: ChartsProps): JSX.Element {
  const closed = closedRounds(rounds);
  const numbers = closed.map(({ round }) => round);
  const seconds = closed.map((round) => round.seconds);
  return (
    <LineChart
      title="Time by round"
      summary={`Wall time of ${closed.length} rounds, the last ${formatDuration(lastKnown(seconds))}.`}
      rounds={numbers}
      horizon={horizon(campaign, numbers)}
      series={[{ label: "From opening to closing", tone: "blue", dashed: false, values: seconds }]}
      format={formatDuration}
      formatTick={(value) => `${plainTick(value)} s`}
    />
  );
}

interface CentralRounds {
  readonly numbers: readonly number[];
  readonly central: readonly RoundStatus[];
}

/** The centralised run's curve; its final score as a level line when only that is known. */
function centralSeries(metric: Metric, campaign: TaskStatus, known: CentralRounds): ChartSeries | null {
  const { numbers, central } = known;
  const line = { label: "Centralised", tone: "orange", dashed: true } as const;
  const closed = closedRounds(central);
  if (closed.length > 0) {
    return { ...line, values: byRound(numbers, closed, (round) => metric.of(round.score)) };
  }
  const level = metric.of(campaign.central);
  return level === null ? null : { ...line, values: numbers.map(() => level) };
}

function roundNumbers(...lists: readonly (readonly RoundStatus[])[]): readonly number[] {
  return [...new Set(lists.flat().map(({ round }) => round))].toSorted((a, b) => a - b);
}

function byRound(
  numbers: readonly number[],
  rounds: readonly RoundStatus[],
  value: (round: RoundStatus) => number | null,
): readonly (number | null)[] {
  const known = new Map(rounds.map((round) => [round.round, value(round)]));
  return numbers.map((number) => known.get(number) ?? null);
}

function horizon(campaign: TaskStatus, numbers: readonly number[]): number {
  const planned = campaign.task.rules.rounds;
  const last = numbers.at(-1) ?? 1;
  return planned <= LONGEST_FRAME ? Math.max(planned, last) : Math.max(10, last);
}

function percentTick(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function plainTick(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : UNKNOWN;
}
