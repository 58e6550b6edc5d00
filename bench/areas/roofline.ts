import { type Limit, limitWork } from "../page/limits.ts";
import type { TrainingShape } from "../page/problem.ts";
import type { Multiplier, ProductForm } from "../page/products.ts";
import type { Bench } from "../processes/bench.ts";
import { measureTurns, type SideTimes } from "../processes/contest.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, median, spread } from "../report/spread.ts";

const FORMS: readonly ProductForm[] = ["forward", "weight-gradient", "input-gradient"];
const SIDES: readonly Multiplier[] = ["relaxed", "baseline", "tensorflow", "onnxruntime", "javascript"];
const SIZES = [
  { rows: 1024, inputs: 64, outputs: 64 },
  { rows: 1024, inputs: 256, outputs: 256 },
] as const;
const LIMITS: readonly Limit[] = ["relaxed-madd", "multiply-add", "read", "copy", "scale"];
const TRAINED: TrainingShape = { widths: [16, 64, 64, 3], batchSize: 1024, rows: 32_768, optimizer: "sgd" };

/** GFLOP/s a build of ours has to reach. */
const LEAST = { relaxed: 46, baseline: 36 } as const;
const MOST_APART = 0.15;
/** Of the largest value of a product; sums of at most 1,024 terms in float32, in different orders. */
const MOST_DIFFERENCE = 1e-4;
const TURNS = 7;
const LEAST_TURN_MS = 60;
const GIGA = 1e9;

type Build = keyof typeof LEAST;
type Size = (typeof SIZES)[number];

/** Products of matrices and training against what the machine can do. @throws when two products differ */
export async function roofline(bench: Bench): Promise<AreaResults> {
  const { results, peak } = await limits(bench);
  const forwards: number[] = [];
  for (const size of SIZES) {
    const found = await products(bench, size);
    const ratesOf: RatesOf = (form, side) =>
      found[FORMS.indexOf(form) * SIDES.length + SIDES.indexOf(side)] ?? [];
    for (const form of FORMS)
      results.push(...productLines(`${form} ${sizeName(size)}`, form, { ratesOf, peak }));
    for (const build of ["relaxed", "baseline"] as const) {
      const medians = FORMS.map((form) => median(ratesOf(form, build)));
      results.push(apart(sizeName(size), build, medians));
    }
    forwards.push(median(ratesOf("forward", "relaxed")));
  }
  results.push(await trainingShare(bench, forwards[0] ?? Number.NaN));
  return { title: "Roofline", method: METHOD, results };
}

function pace(sides: number, quick: boolean) {
  return { sides, turns: quick ? 1 : TURNS, leastMs: quick ? 20 : LEAST_TURN_MS };
}

function gigaRates({ perSecond }: SideTimes, work: number): number[] {
  return perSecond.map((times) => (times * work) / GIGA);
}

async function limits({ browser, quick }: Bench): Promise<{ results: Result[]; peak: number }> {
  await browser.restart();
  await browser.ask("openLimits", LIMITS);
  // Once through all of them, so that the engine has optimised the loops.
  await measureTurns(browser, pace(LIMITS.length, true));
  const times = await measureTurns(browser, pace(LIMITS.length, quick));
  const results = LIMITS.map((limit, side): Result => {
    const found = gigaRates(
      times[side] ?? { perSecond: [], wallSeconds: 0, cpuSeconds: null },
      limitWork(limit),
    );
    const isArithmetic = limit === "relaxed-madd" || limit === "multiply-add";
    return {
      what: `limit: ${LIMIT_NAMES[limit]}`,
      measured: median(found),
      unit: isArithmetic ? "GFLOP/s" : "GB/s",
      detail: spread(found),
      peer: null,
      target: null,
    };
  });
  return { results, peak: results[0]?.measured ?? Number.NaN };
}

const LIMIT_NAMES: Record<Limit, string> = {
  "relaxed-madd": "relaxed multiply-add in registers, WebAssembly, 1 thread",
  "multiply-add": "multiplication and addition in registers, WebAssembly, 1 thread",
  read: "reading 32 MiB, WebAssembly, 1 thread",
  copy: "copying 32 MiB, bytes read and written, WebAssembly, 1 thread",
  scale: "scaling 32 MiB, bytes read and written, WebAssembly, 1 thread",
};

function sizeName({ rows, inputs, outputs }: Size): string {
  return `${rows}x${inputs}x${outputs}`;
}

/** GFLOP/s of every side on every form, one entry a turn; in the order of the worker's sides. */
async function products({ browser, quick }: Bench, size: Size): Promise<number[][]> {
  await browser.restart();
  const differences = await browser.ask("openProducts", { ...size, forms: FORMS, sides: SIDES });
  if (!differences.every((difference) => difference <= MOST_DIFFERENCE)) {
    throw new Error(`${sizeName(size)}: results differ by ${differences.join(", ")} of the largest`);
  }
  const sides = FORMS.length * SIDES.length;
  await measureTurns(browser, pace(sides, true));
  const times = await measureTurns(browser, pace(sides, quick));
  return times.map((side) => gigaRates(side, 2 * size.rows * size.inputs * size.outputs));
}

/** GFLOP/s, one entry a turn. */
type RatesOf = (form: ProductForm, side: Multiplier) => readonly number[];

function productLines(
  what: string,
  form: ProductForm,
  { ratesOf, peak }: { readonly ratesOf: RatesOf; readonly peak: number },
): Result[] {
  const line = (side: Build, peer: Multiplier, name: string): Result => {
    const [ours, theirs] = [ratesOf(form, side), ratesOf(form, peer)];
    const share = (median(ours) / peak) * 100;
    return {
      what: `${what}: wasm, ${side}`,
      measured: median(ours),
      unit: "GFLOP/s",
      detail: `${spread(ours)}; peer ${spread(theirs)}; ${figure(share)}% of the measured peak`,
      peer: { name, measured: median(theirs) },
      target: { of: "measured", bound: "at least", value: LEAST[side] },
    };
  };
  return [
    line("relaxed", "tensorflow", "TF.js wasm"),
    line("baseline", "onnxruntime", "onnxruntime-web wasm"),
    { ...line("baseline", "javascript", "plain JavaScript"), target: null },
  ];
}

function apart(size: string, build: Build, all: readonly number[]): Result {
  return {
    what: `${size}: fastest of the three forms over the slowest, less 1: wasm, ${build}`,
    measured: Math.max(...all) / Math.min(...all) - 1,
    unit: "share",
    detail: "of the medians",
    peer: null,
    target: { of: "measured", bound: "below", value: MOST_APART },
  };
}

/** Operations of a row's step: three products a layer, two for the first, which needs no gradient of its inputs. */
function operationsPerRow(widths: readonly number[]): number {
  return widths.slice(1).reduce((sum, width, l) => sum + 2 * (l === 0 ? 2 : 3) * width * (widths[l] ?? 0), 0);
}

async function trainingShare({ browser, quick }: Bench, product: number): Promise<Result> {
  await browser.restart();
  await browser.ask("openTraining", {
    shape: TRAINED,
    sides: [{ program: "ours", backend: "wasm", threads: 1 }],
  });
  await measureTurns(browser, pace(1, true));
  const [times] = await measureTurns(browser, pace(1, quick));
  if (!times) throw new Error("unreachable: one side was asked for");
  const found = gigaRates(times, TRAINED.rows * operationsPerRow(TRAINED.widths));
  return {
    what: `whole training steps, ${TRAINED.widths.join("-")}, batch ${TRAINED.batchSize}: wasm, 1 thread`,
    measured: median(found),
    unit: "GFLOP/s",
    detail: spread(found),
    peer: { name: "our own forward product 1024x64x64, relaxed", measured: product },
    target: null,
  };
}

const METHOD = `GFLOP/s of one thread in a worker of Chromium, all sides and forms of a size by turns. The three products of a dense layer of (rows x inputs x outputs): forward
\`x w\`, weight gradient \`x^T d\`, input gradient \`d w^T\`; ours with the packing that training does, in the build
with relaxed SIMD (fused multiply-add) and in the baseline build. Peers: TensorFlow.js's \`matMul\` with its
transpose flags, operands resident; onnxruntime-web's Gemm with \`transA\` and \`transB\`, operands handed over and the
result copied out at every run; three loops of plain JavaScript. Limits are hand-made WebAssembly loops: 12 chains of
multiply-adds that never leave the registers, and sweeps of 32 MiB. The peak is the first of them; a native
program with wider vectors reaches about 116 GFLOP/s a core on an AMD EPYC (Zen 4), quoted from an earlier measurement, not
taken here. Whole training steps count the operations of their products only.`;
