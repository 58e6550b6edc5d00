import type { Side, TrainingContest } from "../page/sides.ts";
import type { Bench } from "../processes/bench.ts";
import { measureTurns, rowRate, rowRates, type SideTimes } from "../processes/contest.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, spread } from "../report/spread.ts";
import { type Pair, sideName, trainingPairs } from "./training-targets.ts";

const WASM_SIDES: readonly Side[] = [
  { program: "ours", backend: "wasm", threads: 1 },
  { program: "ours", backend: "wasm", threads: 2 },
  { program: "tensorflow", backend: "wasm", threads: 0 },
  { program: "jax", backend: "wasm", threads: 0 },
];
const WEBGPU_SIDES: readonly Side[] = [
  { program: "ours", backend: "webgpu", threads: 1 },
  { program: "tensorflow", backend: "webgpu", threads: 0 },
  { program: "jax", backend: "webgpu", threads: 0 },
];

/** A shape, and steps of an epoch that last long enough to time and short enough for the slowest side. */
interface Shape {
  readonly widths: readonly number[];
  readonly batchSize: number;
  readonly optimizers: readonly ("sgd" | "adam")[];
  readonly steps: Readonly<Record<"wasm" | "webgpu", number>>;
}

const BOTH = ["sgd", "adam"] as const;
const SHAPES: readonly Shape[] = [
  { widths: [16, 64, 64, 3], batchSize: 1024, optimizers: BOTH, steps: { wasm: 16, webgpu: 2 } },
  { widths: [16, 64, 64, 3], batchSize: 8192, optimizers: BOTH, steps: { wasm: 2, webgpu: 1 } },
  { widths: [16, 256, 256, 3], batchSize: 1024, optimizers: BOTH, steps: { wasm: 2, webgpu: 1 } },
  { widths: [16, 256, 256, 3], batchSize: 8192, optimizers: BOTH, steps: { wasm: 1, webgpu: 1 } },
  { widths: [7, 64, 32, 3], batchSize: 64, optimizers: ["sgd"], steps: { wasm: 128, webgpu: 16 } },
];
const MOST_LOSS_DIFFERENCE = 0.01;
/** The loss of an epoch is that before its steps: two tell whether the first one taught the same. */
const CHECKED_EPOCHS = { wasm: 3, webgpu: 2 } as const;
const TURNS = 5;
/** A turn of a fast side is several epochs. */
const LEAST_TURN_MS = 150;

/** Training against TensorFlow.js and jax-js on the same backend. @throws when two did not learn the same */
export async function training(bench: Bench): Promise<AreaResults> {
  const results: Result[] = [];
  let threads = 0;
  for (const backend of ["wasm", "webgpu"] as const) {
    const sides = backend === "wasm" ? WASM_SIDES : WEBGPU_SIDES;
    for (const { widths, batchSize, optimizers, steps } of SHAPES) {
      for (const optimizer of bench.quick ? optimizers.slice(0, 1) : optimizers) {
        const shape = { widths, batchSize, rows: batchSize * steps[backend], optimizer };
        process.stderr.write(`  ${contestName(shape)}, ${backend}\n`);
        results.push(...(await contest(bench, { shape, sides })));
      }
    }
    if (backend === "wasm") threads = await bench.browser.ask("tensorflowThreads", undefined);
  }
  return { title: "Training", method: method(threads), results };
}

function contestName({ widths, batchSize, optimizer }: TrainingContest["shape"]): string {
  return `${widths.join("-")}, batch ${batchSize.toLocaleString("en-US")}, ${optimizer}`;
}

async function contest({ browser, adapter, quick }: Bench, wish: TrainingContest): Promise<Result[]> {
  const { shape, sides } = wish;
  await browser.restart();
  await browser.ask("openTraining", wish);
  const losses: string[] = [];
  const lasts: number[] = [];
  for (const [side, { program, backend }] of sides.entries()) {
    const all: number[] = [];
    for (let epoch = 0; epoch < CHECKED_EPOCHS[backend]; epoch++) {
      all.push((await browser.ask("turn", { side, leastMs: 0 })).last);
    }
    const [first = Number.NaN] = all;
    const last = all.at(-1) ?? Number.NaN;
    losses.push(`${program} ${first.toFixed(4)} to ${last.toFixed(4)}`);
    lasts.push(last < first ? last : Number.NaN);
  }
  const [ours = Number.NaN] = lasts;
  if (!lasts.every((last) => Math.abs(last / ours - 1) < MOST_LOSS_DIFFERENCE)) {
    throw new Error(`${contestName(shape)}: losses ${losses.join(", ")}`);
  }
  const pace = { sides: sides.length, turns: quick ? 1 : TURNS, leastMs: quick ? 0 : LEAST_TURN_MS };
  const times = await measureTurns(browser, pace);
  return trainingPairs(wish, adapter).map((pair) => resultOf(pair, wish, { times, loss: ours }));
}

function resultOf(
  { side, peer, least }: Pair,
  { shape, sides }: TrainingContest,
  { times, loss }: { readonly times: readonly SideTimes[]; readonly loss: number },
): Result {
  const timesOf = (wanted: Side): SideTimes => {
    const found = times[sides.indexOf(wanted)];
    if (!found) throw new Error(`unreachable: ${sideName(wanted)} took no turns`);
    return found;
  };
  const [ours, theirs] = [timesOf(side), timesOf(peer)];
  const runs = `${spread(rowRates(ours, shape.rows))}; peer ${spread(rowRates(theirs, shape.rows))}`;
  return {
    what: `${contestName(shape)}: ${sideName(side)}`,
    ...rowRate(ours, shape.rows),
    unit: "rows/s",
    detail: `${runs}; loss ${figure(loss)}`,
    peer: { name: sideName(peer), ...rowRate(theirs, shape.rows) },
    target: least === null ? null : { of: "ratio", bound: "at least", value: least },
  };
}

/** @param threads that TensorFlow.js says it uses */
const method = (
  threads: number,
): string => `Local epochs with softmax cross-entropy, SGD (rate 0.02) or Adam (rate 0.003): same model, first weights, rows,
worker and run. Every side first trains ${CHECKED_EPOCHS.wasm} epochs (${CHECKED_EPOCHS.webgpu} on webgpu), whose last losses agree within 1%; then they take turns,
${TURNS} each, a turn being as many epochs as last ${LEAST_TURN_MS} ms (at least one). All sides run in one module worker of an isolated
page, since a thread pool may not wait on a page. CPU seconds are those of all processes of the browser during
the turns. TensorFlow.js 4.22: batches uploaded beforehand, fused dense layers, \`optimizer.minimize\`, one readback an
epoch; its WebAssembly is the build with SIMD and threads, offered one a core (it reports ${threads}). jax-js 0.1.25: batches uploaded
beforehand, one \`jit\` over the whole step, losses summed on the device, one readback an epoch; its WebAssembly
starts a thread a core. Ours: one thread or two, relaxed SIMD where the browser has it.`;
