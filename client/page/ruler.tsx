import type { JSX } from "preact";

/** Props of `Ruler`. */
export interface RulerProps {
  /** What is measured, for people who cannot see it. */
  readonly label: string;
  /** Rounds closed, of `total`. */
  readonly done: number;
  readonly total: number;
  /** Share of the open round that is done, in [0, 1]. */
  readonly within: number;
}

/** Above this many rounds a tick would be thinner than the space between two. */
const MOST_TICKS = 120;

/** Progress read off a scale with a tick for every round. */
export function Ruler({ label, done, total, within }: RulerProps): JSX.Element {
  const share = Math.min(1, done / Math.max(1, total));
  const now = Math.min(1 - share, Math.max(0, Math.min(1, within)) / Math.max(1, total));
  return (
    <div
      class="ruler-scale"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={Math.min(done, total)}
      aria-valuetext={`${done} of ${total} rounds`}
      style={{ "--done": String(share), "--now": String(now) }}
    >
      <div class="ruler-fill" />
      <div class="ruler-now" />
      {total <= MOST_TICKS && <Ticks total={total} />}
    </div>
  );
}

/** Lines of an SVG, not a gradient: a gradient's one-pixel stripes fall between pixels and vanish unevenly. */
function Ticks({ total }: { total: number }): JSX.Element {
  const lines = Array.from({ length: Math.max(0, total - 1) }, (_, i) => `M${i + 1} 0V1`).join("");
  return (
    <svg class="ruler-ticks" viewBox={`0 0 ${total} 1`} preserveAspectRatio="none" aria-hidden="true">
      <path d={lines} />
    </svg>
  );
}
