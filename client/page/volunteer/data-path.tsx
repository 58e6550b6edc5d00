import type { ComponentChildren, JSX } from "preact";
import type { PathStage } from "./phase-words.ts";

/** Props of `DataPath`. */
export interface DataPathProps {
  /** The stage that is lit. */
  readonly active: PathStage | null;
  /** What comes in, such as `8,014 rows in 4 shards`. */
  readonly download: ComponentChildren;
  readonly train: ComponentChildren;
  /** What goes out, such as `1,475 numbers, 5.9 kB`. */
  readonly send: ComponentChildren;
}

/** The way of the data: a patch of sky comes in, is learned from here, and a small update goes out. */
export function DataPath({ active, download, train, send }: DataPathProps): JSX.Element {
  const stages = [
    { stage: "download", title: "A piece of sky comes in", text: download },
    { stage: "train", title: "Your machine learns from it", text: train },
    { stage: "send", title: "Only an update goes out", text: send },
  ] as const;
  return (
    <section class="path" aria-labelledby="path-title" data-active={active ?? "none"}>
      <h2 id="path-title" class="visually-hidden">
        The way of the data
      </h2>
      <PathPicture />
      <ol class="path-stages">
        {stages.map(({ stage, title, text }) => (
          <li key={stage} data-stage={stage} aria-current={active === stage ? "step" : undefined}>
            <h3>{title}</h3>
            <p class="muted small">{text}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Stars of the sky pixel: x, y, radius. Placed by hand; every fourth is orange. */
const STARS = [
  [118, 52, 2.6], [96, 74, 1.6], [140, 78, 1.9], [120, 96, 3.2], [84, 100, 1.7], [160, 102, 1.5], [104, 120, 2.1],
  [136, 124, 1.6], [120, 146, 1.8], [70, 96, 1.2], [148, 92, 1.2], [112, 68, 1.2],
] as const; // biome-ignore format: coordinates

const LAYERS = [
  { x: 318, ys: [70, 90, 110, 130] },
  { x: 360, ys: [60, 80, 100, 120, 140] },
  { x: 402, ys: [80, 100, 120] },
] as const;

const BARS = [10, 22, 15, 30, 8, 18, 26] as const;

function PathPicture(): JSX.Element {
  return (
    <svg class="path-picture" viewBox="0 0 720 200" aria-hidden="true">
      <g class="path-link" data-stage="download">
        <path d="M196 100H264" />
      </g>
      <g class="path-link" data-stage="send">
        <path d="M456 100H524" />
      </g>
      <SkyPixel />
      <TabWithNetwork />
      <Update />
    </svg>
  );
}

function SkyPixel(): JSX.Element {
  return (
    <g class="path-art" data-stage="download">
      <path class="frame" d="M120 20 200 100 120 180 40 100Z" />
      <path
        class="hair"
        d="M80 60l80 80M160 60l-80 80M100 40l80 80M140 40l-80 80M60 80l80 80M180 80l-80 80"
      />
      {STARS.map(([x, y, r], i) => (
        <circle key={i} class={i % 4 === 0 ? "warm" : "cool"} cx={x} cy={y} r={r} />
      ))}
    </g>
  );
}

function TabWithNetwork(): JSX.Element {
  const links = LAYERS.slice(0, -1).flatMap((layer, l) =>
    layer.ys.flatMap((y) =>
      (LAYERS[l + 1]?.ys ?? []).map((to) => `M${layer.x} ${y}L${LAYERS[l + 1]?.x} ${to}`),
    ),
  );
  return (
    <g class="path-art" data-stage="train">
      <rect class="frame" x="272" y="24" width="176" height="152" rx="10" />
      <path class="hair" d="M272 46h176" />
      <path class="hair dots" d="M284 35h.01M294 35h.01M304 35h.01" />
      <path class="hair" d={links.join("")} />
      {LAYERS.flatMap(({ x, ys }) =>
        ys.map((y) => <circle key={`${x} ${y}`} class="cool" cx={x} cy={y} r="4.5" />),
      )}
    </g>
  );
}

function Update(): JSX.Element {
  return (
    <g class="path-art" data-stage="send">
      <circle class="frame" cx="600" cy="100" r="68" />
      <path class="hair" d="M556 100h88" />
      {BARS.map((height, i) => (
        <rect
          key={i}
          class={i % 3 === 1 ? "warm" : "cool"}
          x={560 + i * 12}
          y={i % 3 === 1 ? 100 : 100 - height}
          width="7"
          height={height}
          rx="1.5"
        />
      ))}
    </g>
  );
}
