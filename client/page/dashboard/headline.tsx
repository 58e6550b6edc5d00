import type { JSX } from "preact";
import type { RoundStatus } from "../../../protocol/rounds.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { CampaignTotals } from "../campaign-figures.ts";
import { formatBytes, formatCount, formatRate, UNKNOWN } from "../format.ts";
import { Ruler } from "../ruler.tsx";
import { type Metric, metricsOf } from "../score.ts";

/** Props of `Headline`. */
export interface HeadlineProps {
  readonly campaign: TaskStatus;
  readonly totals: CampaignTotals;
  readonly open: RoundStatus | null;
}

/** The numbers an astronomer came for: the score beside the centralised one, then how far and with whom. */
export function Headline({ campaign, totals, open }: HeadlineProps): JSX.Element {
  return (
    <section class="headline" aria-label="The campaign in numbers">
      <div class="scores">
        {metricsOf(campaign.task.label)
          .slice(0, 2)
          .map((metric, i) => (
            <ScoreFigure key={metric.key} metric={metric} campaign={campaign} main={i === 0} />
          ))}
      </div>
      <RoundFigure campaign={campaign} open={open} />
      <dl class="figures">
        <Figure label="Nodes connected" value={formatCount(totals.connected)}>
          {nodesNote(campaign, totals)}
        </Figure>
        <Figure label="Examples per second" value={formatRate(totals.examplesPerSecond)}>
          {formatCount(totals.examples)} in all
        </Figure>
        <Figure label="Received" value={formatBytes(totals.bytesUp)}>
          updates
        </Figure>
        <Figure label="Sent" value={formatBytes(totals.bytesDown)}>
          models and shards
        </Figure>
      </dl>
    </section>
  );
}

function nodesNote({ state, task }: TaskStatus, { lost }: CampaignTotals): string {
  if (lost > 0) return `${formatCount(lost)} lost`;
  return state === "finished"
    ? "none needed any more"
    : `at least ${formatCount(task.rules.minNodes)} needed`;
}

function ScoreFigure(props: { metric: Metric; campaign: TaskStatus; main: boolean }): JSX.Element {
  const { metric, campaign, main } = props;
  const value = metric.of(campaign.score);
  const central = metric.of(campaign.central);
  return (
    <div class={main ? "score main" : "score"}>
      <h2 class="label">{metric.label}, held-out rows</h2>
      <p class={value === null ? "score-value unknown" : "score-value"}>{metric.format(value)}</p>
      <p class="score-central">
        {central === null ? (
          <span class="muted">{main ? "no centralised run to compare with yet" : "\u00a0"}</span>
        ) : (
          <>
            <span class="swatch orange dashed" /> centralised {metric.format(central)}
            {value !== null && <Difference metric={metric} by={value - central} />}
          </>
        )}
      </p>
    </div>
  );
}

function Difference({ metric, by }: { metric: Metric; by: number }): JSX.Element {
  const text = metric.formatDifference(by);
  return (
    <>
      , <b>{text}</b>
    </>
  );
}

function RoundFigure({ campaign, open }: { campaign: TaskStatus; open: RoundStatus | null }): JSX.Element {
  const { rounds } = campaign.task.rules;
  const finished = campaign.state === "finished";
  const done = finished ? rounds : Math.max(0, campaign.round - 1);
  const within = open === null || open.cohort === 0 ? 0 : open.participants.length / open.cohort;
  return (
    <div class="round-figure">
      <p>
        <span class="label">Round</span> <b>{campaign.round === 0 ? UNKNOWN : formatCount(campaign.round)}</b>{" "}
        <span class="label">of {formatCount(rounds)}</span>
      </p>
      <Ruler label="Rounds closed" done={done} total={rounds} within={finished ? 0 : within} />
    </div>
  );
}

function Figure(props: {
  label: string;
  value: string;
  children: (string | number)[] | string;
}): JSX.Element {
  return (
    <div>
      <dt class="label">{props.label}</dt>
      <dd class="figure-value">{props.value}</dd>
      <dd class="label">{props.children}</dd>
    </div>
  );
}
