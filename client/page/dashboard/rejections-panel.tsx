import type { JSX } from "preact";
import type { Rejection } from "../dashboard-state.ts";
import { formatCount } from "../format.ts";

/** Why updates are refused, in plain words; codes without an entry are shown as they are. */
const REASONS: Record<string, string> = {
  stale_round: "came after its round had closed",
  norm_exceeded: "larger than a sound update can be",
  non_finite: "contained NaN or infinity",
  shape_mismatch: "not of the model's shape",
  base_model_mismatch: "trained from another model",
  malformed_safetensors: "not a readable file",
  duplicate_update: "sent twice",
  not_selected: "not in the round's cohort",
  example_count_exceeded: "claimed more rows than it had",
  too_large: "larger than allowed",
  unauthorized: "without a valid token",
};

const CLOCK = new Intl.DateTimeFormat("en", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/** Props of `RejectionsPanel`. */
export interface RejectionsPanelProps {
  /** Counts by error code over the whole campaign. */
  readonly counts: readonly (readonly [code: string, count: number])[];
  /** Those heard of since the page was opened, newest first. */
  readonly recent: readonly Rejection[];
}

/** Refused updates: how many for which reason, and the latest. */
export function RejectionsPanel({ counts, recent }: RejectionsPanelProps): JSX.Element {
  return (
    <section class="panel rejections" aria-labelledby="rejections-title">
      <h2 id="rejections-title">Refused updates</h2>
      {counts.length === 0 && recent.length === 0 ? (
        <p class="muted empty">None. Every update so far was sound and in time.</p>
      ) : (
        <ul class="reasons">
          {counts.map(([code, count]) => (
            <li key={code}>
              <b>{formatCount(count)}</b>
              <span>
                {REASONS[code] ?? "refused"} <span class="code muted">{code}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      {recent.length > 0 && (
        <>
          <h3>Latest</h3>
          <ol class="latest" tabIndex={0} aria-label="Latest refused updates">
            {recent.map((one) => (
              <li key={one.serial}>
                <p>
                  <bdi>{one.name ?? "unknown node"}</bdi> <span class="code muted">{one.code}</span>
                  <time class="muted" dateTime={new Date(one.atMs).toISOString()}>
                    {CLOCK.format(one.atMs)}
                  </time>
                </p>
                <p class="muted">{one.message}</p>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}
