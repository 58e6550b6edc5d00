import uPlot from "uplot";
import type { ChartSeries } from "./line-chart.tsx";

/** What a plot draws. */
export interface PlotData {
  readonly rounds: readonly number[];
  readonly horizon: number;
  readonly series: readonly ChartSeries[];
  readonly formatTick: (value: number) => string;
  readonly onCursor: (at: number | null) => void;
}

/** Whole rounds only: no tick falls between two. */
const ROUND_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
/** Below this many values a line is too short to be seen, so each value gets a dot. */
const FEW = 4;

/** A uPlot drawing in an element: fills its width and follows its size, the data and the theme. */
export class Plot {
  readonly #place: HTMLElement;
  readonly #chart: uPlot;
  readonly #resize: ResizeObserver;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #onDark = (): void => this.recolour();
  #data: PlotData;
  #colours = new Map<string, string>();

  /** @param place empty; its height is the plot's, and `close` empties it */
  constructor(place: HTMLElement, data: PlotData) {
    this.#place = place;
    this.#data = data;
    this.#chart = new uPlot(this.#options(), this.#aligned(), place);
    this.#resize = new ResizeObserver(() => this.#chart.setSize(this.#size()));
    this.#resize.observe(place);
    this.#dark.addEventListener("change", this.#onDark);
  }

  /** Draws other values in the same lines. */
  show(data: PlotData): void {
    this.#data = data;
    this.#chart.setData(this.#aligned());
  }

  /** Reads the colours anew, after a change of theme. */
  recolour(): void {
    this.#colours.clear();
    this.#chart.redraw(false, true);
  }

  /** Removes the drawing and everything that listens. */
  close(): void {
    this.#resize.disconnect();
    this.#dark.removeEventListener("change", this.#onDark);
    this.#chart.destroy();
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(120, this.#place.clientWidth), height: Math.max(120, this.#place.clientHeight) };
  }

  #aligned(): uPlot.AlignedData {
    return [[...this.#data.rounds], ...this.#data.series.map(({ values }) => [...values])];
  }

  /** A custom property as a canvas takes it: `light-dark()` is resolved by the element, not by the canvas. */
  #colour(property: string): string {
    const known = this.#colours.get(property);
    if (known !== undefined) return known;
    this.#place.style.color = `var(--${property})`;
    const colour = getComputedStyle(this.#place).color;
    this.#place.style.color = "";
    this.#colours.set(property, colour);
    return colour;
  }

  #axis(): uPlot.Axis {
    return {
      stroke: () => this.#colour("ink-2"),
      grid: { stroke: () => this.#colour("line"), width: 1 },
      ticks: { show: false },
      font: `12px ${getComputedStyle(this.#place).fontFamily}`,
      gap: 8,
    };
  }

  #options(): uPlot.Options {
    const { series, onCursor } = this.#data;
    return {
      ...this.#size(),
      padding: [10, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 9, width: 2 } },
      scales: {
        x: { time: false, range: () => [this.#data.rounds[0] ?? 0, Math.max(2, this.#data.horizon)] },
        y: { range: (_chart, low, high) => uPlot.rangeNum(low ?? 0, high ?? 1, 0.08, true) },
      },
      axes: [
        { ...this.#axis(), incrs: ROUND_STEPS, grid: { show: false }, size: 32 },
        {
          ...this.#axis(),
          size: 58,
          space: 34,
          values: (_chart, splits) => splits.map((value) => this.#data.formatTick(value)),
        },
      ],
      series: [{}, ...series.map((one) => this.#line(one))],
      hooks: { setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)] },
    };
  }

  #line({ label, tone, dashed }: ChartSeries): uPlot.Series {
    const property = tone === "quiet" ? "line-strong" : tone;
    return {
      label,
      stroke: () => this.#colour(property),
      width: 2,
      spanGaps: true,
      ...(dashed ? { dash: [5, 4] } : {}),
      points: { show: (chart) => (chart.data[0].length ?? 0) < FEW, size: 7 },
    };
  }
}
