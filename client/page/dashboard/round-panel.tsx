import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { RoundStatus } from "../../../protocol/rounds.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { RoundOpening } from "../dashboard-state.ts";
import { formatCount, formatDuration } from "../format.ts";

/** Props of `RoundPanel`. */
export interface RoundPanelProps {
  readonly campaign: TaskStatus;
  /** The open round, or the last one; `null` before the first. */
  readonly round: RoundStatus | null;
  /** Every round so far, ascending. */
  readonly rounds: readonly RoundStatus[];
  readonly opening: RoundOpening | null;
  /** A usual round's wall time. */
  readonly typicalSeconds: number | null;
  readonly nowMs: () => number;
}

const STEPS = [
  { phase: "waiting", label: "Waiting to open" },
  { phase: "collecting", label: "Nodes train and send" },
  { phase: "aggregating", label: "Averaging the updates" },
  { phase: "closed", label: "Scored and closed" },
] as const;

/** More squares than this would not be counted by eye. */
const MOST_SQUARES = 48;

/** The round as it goes: which phase, whose updates are in, how long. */
export function RoundPanel(props: RoundPanelProps): JSX.Element {
  const { campaign, round } = props;
  return (
    <section class="panel round-panel" aria-labelledby="round-panel-title">
      <h2 id="round-panel-title">{title(campaign, round)}</h2>
      {campaign.reason !== null && <p class="message">{campaign.reason}</p>}
      <Body {...props} />
    </section>
  );
}

function Body(props: RoundPanelProps): JSX.Element {
  const { campaign, round } = props;
  if (campaign.state === "finished") return <Finished {...props} />;
  if (round !== null) return <RoundDetails {...props} round={round} />;
  return (
    <p class="muted small">
      The first round opens when {campaign.task.rules.minNodes} nodes have joined.{" "}
      <a href={`/?task=${encodeURIComponent(campaign.task.id)}`}>Join from this browser</a>
    </p>
  );
}

/** What is left to do when all rounds are done: take the model home. */
function Finished({ campaign, rounds }: RoundPanelProps): JSX.Element {
  const { id } = campaign.task;
  const seconds = rounds.reduce((sum, round) => sum + (round.seconds ?? 0), 0);
  const updates = rounds.reduce((sum, round) => sum + round.participants.length, 0);
  return (
    <>
      <dl class="pairs">
        <dt>Rounds</dt>
        <dd>{formatCount(campaign.task.rules.rounds)}</dd>
        <dt>Updates averaged</dt>
        <dd>{formatCount(updates)}</dd>
        <dt>Time in rounds</dt>
        <dd>{formatDuration(seconds)}</dd>
      </dl>
      <a
        class="button"
        href={`/federated/model?task=${encodeURIComponent(id)}`}
        download={`${id}.safetensors`}
      >
        Take the model home
      </a>
      <p class="muted small">A safetensors file with the weights and the fitted preprocessing.</p>
    </>
  );
}

function RoundDetails(props: RoundPanelProps & { round: RoundStatus }): JSX.Element {
  const { campaign, round, typicalSeconds } = props;
  const { rules } = campaign.task;
  return (
    <>
      <ol class="steps">
        {STEPS.map(({ phase, label }) => (
          <li key={phase} aria-current={phase === round.phase ? "step" : undefined}>
            {label}
          </li>
        ))}
      </ol>
      {round.withheld !== null && (
        <p class="message warn">The model of the round before stays: {round.withheld}</p>
      )}
      <UpdateSquares round={round} quorum={rules.minNodes} />
      <dl class="pairs">
        <dt>Open for</dt>
        <dd>
          <OpenFor {...props} />
        </dd>
        <dt>A usual round</dt>
        <dd>{formatDuration(typicalSeconds)}</dd>
        <dt>Deadline after</dt>
        <dd>{formatDuration(rules.roundDeadlineSecs)}</dd>
        {rules.roundIntervalSecs > 0 && (
          <>
            <dt>Next one no sooner than</dt>
            <dd>{formatDuration(rules.roundIntervalSecs)} after this opened</dd>
          </>
        )}
        {round.attempts > 0 && (
          <>
            <dt>Opened again</dt>
            <dd>{formatCount(round.attempts)} times</dd>
          </>
        )}
      </dl>
    </>
  );
}

/** One square a node of the cohort, filled when its update is in. */
function UpdateSquares({ round, quorum }: { round: RoundStatus; quorum: number }): JSX.Element {
  const updates = round.participants.length;
  if (round.phase === "waiting") {
    return <p class="muted">Updates of {formatCount(quorum)} nodes or more will close it.</p>;
  }
  return (
    <div class="squares-block">
      <p>
        <b>{formatCount(updates)}</b> of {formatCount(round.cohort)} updates in
        <span class="muted">, {formatCount(quorum)} needed</span>
      </p>
      {round.cohort <= MOST_SQUARES && (
        <div class="squares" aria-hidden="true">
          {Array.from({ length: Math.max(round.cohort, updates) }, (_, i) => (
            <span key={i} class={i < updates ? "in" : ""} />
          ))}
        </div>
      )}
    </div>
  );
}

function OpenFor({ round, opening, nowMs }: RoundPanelProps & { round: RoundStatus }): JSX.Element {
  const now = useSignal(nowMs());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = nowMs();
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  if (round.seconds !== null) return <>{formatDuration(round.seconds)}, closed</>;
  if (round.phase === "waiting") return <>not open yet</>;
  if (opening?.round !== round.round) return <>since before this page</>;
  return <>{Math.max(0, Math.round((now.value - opening.atMs) / 1000))} s</>;
}

function title(campaign: TaskStatus, round: RoundStatus | null): string {
  if (campaign.state === "finished") return "All rounds are done";
  if (round === null) return "No round yet";
  return round.kind === "fit" ? "Round 0: measuring the data" : `Round ${formatCount(round.round)} now`;
}
