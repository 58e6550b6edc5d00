import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { RoundStatus } from "../../../protocol/rounds.ts";
import type { TaskSpec } from "../../../protocol/tasks.ts";
import { BACKENDS } from "../backend-words.ts";
import { formatBytes, formatCount, formatDuration, formatLoss } from "../format.ts";
import { type Metric, metricsOf } from "../score.ts";

const SHOWN_AT_FIRST = 12;
/** Ten thousands of rounds would be ten thousands of rows. */
const MOST_ROWS = 500;

/** Props of `RoundsTable`. */
export interface RoundsTableProps {
  readonly task: TaskSpec;
  /** Ascending. */
  readonly rounds: readonly RoundStatus[];
}

/** Rounds, the newest first; each opens to show whose updates it was made of. */
export function RoundsTable({ task, rounds }: RoundsTableProps): JSX.Element {
  const all = useSignal(false);
  const open = useSignal<number | null>(null);
  const newest = rounds.toReversed().slice(0, all.value ? MOST_ROWS : SHOWN_AT_FIRST);
  const metrics = metricsOf(task.label);
  return (
    <section class="panel" aria-labelledby="rounds-title">
      <div class="chart-head">
        <h2 id="rounds-title">Rounds</h2>
        {rounds.length > SHOWN_AT_FIRST && (
          <button
            type="button"
            class="button small"
            aria-expanded={all.value}
            onClick={() => {
              all.value = !all.value;
            }}
          >
            {all.value ? "Show fewer" : `Show all ${formatCount(rounds.length)}`}
          </button>
        )}
      </div>
      {rounds.length === 0 ? (
        <p class="muted empty">Rounds are listed here when they open.</p>
      ) : (
        <div class="table-scroll rounds-scroll" tabIndex={0} role="region" aria-labelledby="rounds-title">
          <table>
            <RoundsHead metrics={metrics} />
            <tbody>
              {newest.map((round) => (
                <RoundRows
                  key={round.round}
                  round={round}
                  metrics={metrics}
                  open={open.value === round.round}
                  onToggle={() => {
                    open.value = open.value === round.round ? null : round.round;
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function RoundsHead({ metrics }: { metrics: readonly Metric[] }): JSX.Element {
  const numbers = [
    "Updates",
    "Examples",
    "Training loss",
    "Held-out loss",
    ...metrics.map(({ label }) => label),
    "Time",
    "In",
    "Out",
    "Refused",
  ];
  return (
    <thead>
      <tr>
        <th scope="col">Round</th>
        {numbers.map((label) => (
          <th scope="col" class="number" key={label}>
            {label}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RoundRowsProps {
  readonly round: RoundStatus;
  readonly metrics: readonly Metric[];
  readonly open: boolean;
  readonly onToggle: () => void;
}

function RoundRows({ round, metrics, open, onToggle }: RoundRowsProps): JSX.Element {
  const refused = Object.values(round.rejected).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <tr>
        <th scope="row">
          <button type="button" class="disclosure" aria-expanded={open} onClick={onToggle}>
            {round.round}
            <span class="visually-hidden">, nodes of the round</span>
          </button>
          {round.phase !== "closed" && <span class="muted"> {round.phase}</span>}
          {round.kind === "fit" && <span class="muted"> measuring</span>}
          {round.withheld !== null && <span class="bad-number"> withheld</span>}
        </th>
        <td class="number">
          {formatCount(round.participants.length)}
          <span class="muted"> of {formatCount(round.cohort)}</span>
        </td>
        <td class="number">{formatCount(round.examples)}</td>
        <td class="number">{formatLoss(round.loss)}</td>
        <td class="number">{formatLoss(round.score?.loss ?? null)}</td>
        {metrics.map((metric) => (
          <td class="number" key={metric.key}>
            {metric.format(metric.of(round.score))}
          </td>
        ))}
        <td class="number">{formatDuration(round.seconds)}</td>
        <td class="number">{formatBytes(round.bytesUp)}</td>
        <td class="number">{formatBytes(round.bytesDown)}</td>
        <td class={refused > 0 ? "number bad-number" : "number"}>{formatCount(refused)}</td>
      </tr>
      {open && (
        <tr class="round-detail">
          <td colSpan={9 + metrics.length}>
            <RoundDetail round={round} />
          </td>
        </tr>
      )}
    </>
  );
}

function RoundDetail({ round }: { round: RoundStatus }): JSX.Element {
  return (
    <ul>
      {round.participants.map((one) => (
        <li key={one.nodeId}>
          <bdi>{one.name}</bdi>
          <span class="muted">
            {BACKENDS[one.backend]}, {formatCount(one.exampleCount)} examples, loss {formatLoss(one.loss)}
          </span>
        </li>
      ))}
      {round.participants.length === 0 && <li class="muted">No update is in yet.</li>}
      {round.withheld !== null && <li class="bad-number">Not published: {round.withheld}</li>}
      {round.model !== null && (
        <li class="muted">
          model <span class="code">{round.model.slice(0, 16)}…</span>
        </li>
      )}
    </ul>
  );
}
