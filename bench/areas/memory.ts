import type { Shard } from "../../protocol/catalogs.ts";
import { localTraining } from "../../protocol/local-training.ts";
import type { ModelSpec } from "../../protocol/model.ts";
import type { Side } from "../page/sides.ts";
import type { Bench } from "../processes/bench.ts";
import type { BenchBrowser } from "../processes/bench-browser.ts";
import type { MemoryUse } from "../processes/process-tree.ts";
import { planFor, writeShard } from "../processes/shard-file.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, median, spread } from "../report/spread.ts";
import { sideName } from "./training-targets.ts";

const COLUMNS = Array.from({ length: 16 }, (_, c) => `x${c}`);
const ROWS = 1_000_000;
const MODEL: ModelSpec = {
  inputs: COLUMNS.length,
  hidden: [64, 64],
  outputs: 3,
  activation: "relu",
  head: "softmax-cross-entropy",
};
const TRAINING = localTraining({
  localEpochs: 1,
  batchSize: 1024,
  localLearningRate: 0.02,
  optimizer: { kind: "sgd" },
});
const THREADS = [1, 2];
const MOST_SHARDS = 4;
const SHAPE = { widths: [16, 256, 256, 3], batchSize: 8192, rows: 8192, optimizer: "adam" } as const;
const SIDES: readonly Side[] = [
  { program: "ours", backend: "wasm", threads: 1 },
  { program: "tensorflow", backend: "wasm", threads: 0 },
  { program: "jax", backend: "wasm", threads: 0 },
];
const RUNS = 5;
const MIB = 2 ** 20;

/** What training keeps in the machine's memory, each time in a browser just opened. */
export async function memory({ openBrowser, quick }: Bench): Promise<AreaResults> {
  const runs = quick ? 1 : RUNS;
  const shard = await writeShard(ROWS, COLUMNS, 0);
  const features = COLUMNS.map((plus) => ({ name: plus, plus, minus: null }));
  const plan = planFor(shard, { features, model: MODEL, training: TRAINING });
  const results: Result[] = [];
  for (const threads of THREADS) {
    const wasm: number[] = [];
    const peaks = await peaksOf(openBrowser, runs, async (browser) => {
      const { wasmBytes } = await browser.firstStep({ choice: "wasm", threads, plan });
      wasm.push((wasmBytes ?? Number.NaN) / shard.bytes);
    });
    if (peaks !== null) results.push(...shardLines(shard, threads, { peaks, wasm }));
  }
  const programs: number[] = [];
  for (const side of SIDES) {
    const found = await peaksOf(openBrowser, runs, async (browser) => {
      await browser.ask("openTraining", { shape: SHAPE, sides: [side] });
      await browser.ask("turn", { side: 0, leastMs: 500 });
    });
    programs.push(found === null ? Number.NaN : median(found.map(({ all }) => all)) / MIB);
  }
  results.push(...programLines(programs));
  return { title: "Memory", method: METHOD, results };
}

/** The most memory in use above that of the empty page, one entry a run; `null` where the system does not tell. */
async function peaksOf(
  openBrowser: Bench["openBrowser"],
  runs: number,
  work: (browser: BenchBrowser) => Promise<void>,
): Promise<MemoryUse[] | null> {
  const peaks: MemoryUse[] = [];
  for (let run = 0; run < runs; run++) {
    const browser = await openBrowser();
    try {
      const before = await browser.processes.memory();
      const peak = await browser.processes.peak(() => work(browser));
      if (before === null || peak === null) return null;
      peaks.push({ all: peak.all - before.all, renderers: peak.renderers - before.renderers });
    } finally {
      await browser.close();
    }
  }
  return peaks;
}

function shardLines(
  { rows, bytes }: Shard,
  threads: number,
  { peaks, wasm }: { readonly peaks: readonly MemoryUse[]; readonly wasm: readonly number[] },
): Result[] {
  const words = threads === 1 ? "1 thread" : `${threads} threads`;
  const line = (where: "all" | "renderers", place: string, most: number | null): Result => {
    const times = peaks.map((peak) => peak[where] / bytes);
    return {
      what: `a ${rows.toLocaleString("en-US")} x 16 shard, wasm, ${words}: ${place}`,
      measured: median(times),
      unit: "x the shard",
      detail: `${spread(times)}; WebAssembly's memory ${figure(median(wasm))}`,
      peer: null,
      target: most === null ? null : { of: "measured", bound: "below", value: most },
    };
  };
  return [
    line("renderers", "the process of the node", MOST_SHARDS),
    line("all", "all processes of the browser", null),
  ];
}

/** Ours against each peer. */
function programLines([ours, ...peers]: readonly number[]): Result[] {
  if (ours === undefined || Number.isNaN(ours)) return [];
  return SIDES.slice(1).flatMap((side, s): Result[] => {
    const measured = peers[s];
    if (measured === undefined) return [];
    return [
      {
        what: `${SHAPE.widths.join("-")}, batch ${SHAPE.batchSize.toLocaleString("en-US")}, adam: wasm, 1 thread`,
        measured: ours,
        unit: "MiB",
        detail: "above the empty page, program included",
        peer: { name: sideName(side), measured },
        target: null,
      },
    ];
  });
}

const METHOD = `The most memory in use above that of the empty page (proportional set size, looked at every 50 ms), in a browser opened for
the run. A shard: downloaded from this machine, its SHA-256 checked, kept in the browser's storage as a node does,
prepared and trained one epoch; columns of float32 and a class, model 16-64-64-3, batch 1,024. Other processes
of the browser hold it while it passes through network and storage. Programs: a few epochs of the training contest, all
processes, the program's own code included.`;
