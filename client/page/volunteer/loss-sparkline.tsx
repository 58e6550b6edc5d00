import type { JSX } from "preact";
import { formatLoss } from "../format.ts";
import type { RoundLoss } from "./loss-history.ts";

const WIDTH = 320;
const HEIGHT = 96;
const EDGE = 6;
/** Rounds drawn; older ones leave at the left. */
const SHOWN = 120;

/** This node's loss by round as one small line, with its ends in numbers. */
export function LossSparkline({ losses }: { losses: readonly RoundLoss[] }): JSX.Element {
  const shown = losses.slice(-SHOWN);
  const first = shown[0];
  const last = shown.at(-1);
  const summary =
    first === undefined || last === undefined
      ? "No loss yet"
      : `Loss ${formatLoss(first.loss)} in round ${first.round}, ${formatLoss(last.loss)} in round ${last.round}`;
  return (
    <figure class="sparkline">
      <figcaption class="label">Loss on your rows</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary}>
        <path class="base" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
        {shown.length > 1 && <path class="line" d={linePath(shown)} />}
      </svg>
      <p class="sparkline-ends">
        <span class="muted">{first === undefined ? "starts with round 1" : `round ${first.round}`}</span>
        <span>
          {last === undefined ? "" : formatLoss(last.loss)}
          {last !== undefined && <span class="muted"> round {last.round}</span>}
        </span>
      </p>
    </figure>
  );
}

/** `M…L…` through the losses, the lowest at the bottom, by round from left to right. */
function linePath(shown: readonly RoundLoss[]): string {
  const values = shown.map(({ loss }) => loss);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const from = shown[0]?.round ?? 0;
  const rounds = (shown.at(-1)?.round ?? 1) - from || 1;
  const points = shown.map(({ round, loss }) => {
    const x = ((round - from) / rounds) * WIDTH;
    const y = EDGE + (1 - (loss - low) / span) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
