import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { UNKNOWN } from "../format.ts";
import { theme } from "../theme.ts";
import type { Plot } from "./plot.ts";

/** One line of a chart. */
export interface ChartSeries {
  readonly label: string;
  /** `blue` is what the nodes learn together, `orange` the centralised run, `quiet` a third. */
  readonly tone: "blue" | "orange" | "quiet";
  readonly dashed: boolean;
  /** One value a round; `null` where there is none. */
  readonly values: readonly (number | null)[];
}

/** Props of `LineChart`. */
export interface LineChartProps {
  readonly title: string;
  /** The chart in one sentence, for people who cannot see it. */
  readonly summary: string;
  /** Round numbers, ascending. */
  readonly rounds: readonly number[];
  /** Last round of the axis: a campaign's plan, so that the curve grows into a frame that stays. */
  readonly horizon: number;
  readonly series: readonly ChartSeries[];
  readonly format: (value: number | null) => string;
  /** Shorter text for the axis. */
  readonly formatTick: (value: number) => string;
  readonly children?: ComponentChildren;
}

/** A chart of values by round, with its legend, a readout under the pointer, and the same as a table. */
export function LineChart(props: LineChartProps): JSX.Element {
  const asTable = useSignal(false);
  const cursor = useSignal<number | null>(null);
  const id = useId();
  return (
    <figure class="chart" aria-labelledby={id}>
      <div class="chart-head">
        <h2 id={id}>{props.title}</h2>
        <button
          type="button"
          class="button small"
          aria-pressed={asTable.value}
          aria-label={`${props.title} as a table`}
          onClick={() => {
            asTable.value = !asTable.value;
          }}
        >
          Table
        </button>
      </div>
      <Legend {...props} at={cursor.value} />
      {asTable.value ? (
        <ChartTable {...props} />
      ) : (
        <ChartCanvas
          {...props}
          onCursor={(at) => {
            cursor.value = at;
          }}
        />
      )}
      {props.children}
    </figure>
  );
}

function Legend({ rounds, series, format, at }: LineChartProps & { at: number | null }): JSX.Element {
  const round = at === null ? undefined : rounds[at];
  return (
    <ul class="legend">
      {series.map(({ label, tone, dashed, values }) => (
        <li key={label}>
          <span class={`swatch ${tone}${dashed ? " dashed" : ""}`} />
          {label} <b>{format(at === null ? lastKnown(values) : (values[at] ?? null))}</b>
        </li>
      ))}
      <li class="legend-round">{round === undefined ? "" : `round ${round}`}</li>
    </ul>
  );
}

function ChartCanvas(props: LineChartProps & { onCursor: (at: number | null) => void }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = props.series.map(({ label, tone, dashed }) => `${label}|${tone}|${dashed}`).join();
  // Another set of lines is another drawing; other values in the same lines are not.
  useEffect(() => {
    let open = true;
    // uPlot is two fifths of this page's code, and the numbers above the charts do not wait for it.
    void import("./plot.ts").then(({ Plot }) => {
      if (open && place.current !== null) plot.current = new Plot(place.current, latest.current);
    });
    return () => {
      open = false;
      plot.current?.close();
      plot.current = null;
      latest.current.onCursor(null);
    };
  }, [shape]);
  useEffect(() => plot.current?.show(props));
  const chosen = theme.value;
  useEffect(() => plot.current?.recolour(), [chosen]);
  return <div class="chart-place" ref={place} role="img" aria-label={props.summary} />;
}

function ChartTable({ title, rounds, series, format }: LineChartProps): JSX.Element {
  return (
    <div class="table-scroll chart-table" tabIndex={0} role="region" aria-label={`${title}, table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Round</th>
            {series.map(({ label }) => (
              <th scope="col" class="number" key={label}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rounds.map((round, i) => (
            <tr key={round}>
              <th scope="row">{round}</th>
              {series.map(({ label, values }) => (
                <td class="number" key={label}>
                  {values[i] === null || values[i] === undefined ? UNKNOWN : format(values[i])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The last value that is there, or `null`. */
export function lastKnown(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}
