import type { Duel } from "../page/training.ts";
import type { BenchBrowser } from "../processes/bench-browser.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { median, spread } from "../report/spread.ts";

const WIDE = { widths: [16, 64, 64, 3], batchSize: 1024 };
const DEFAULT = { widths: [7, 64, 32, 3], batchSize: 64 };
const WASM = { backend: "wasm", warmUpEpochs: 3, timedEpochs: 9 } as const;
const WEBGPU = { backend: "webgpu", warmUpEpochs: 2, timedEpochs: 5 } as const;

// An epoch long enough to time, and short enough for the slower side.
const DUELS: readonly Duel[] = [
  { ...WIDE, ...WASM, rows: 32_768 },
  { ...DEFAULT, ...WASM, rows: 16_384 },
  { ...WIDE, ...WEBGPU, rows: 4_096 },
  { ...DEFAULT, ...WEBGPU, rows: 2_048 },
];
/** How many times as fast as TensorFlow.js each backend has to be. */
const TARGETS = { wasm: 5, webgpu: 10 } as const;
const MOST_LOSS_DIFFERENCE = 0.01;
/** A last loss above this share of the first is no training. */
const MOST_LOSS_LEFT = 0.98;

/** Training against TensorFlow.js on the same backend. @throws when the two did not learn the same */
export async function training({ page }: BenchBrowser): Promise<AreaResults> {
  const results: Result[] = [];
  for (const wish of DUELS) {
    const { ours, theirs } = await page.evaluate((duel) => globalThis.bench.duel(duel), wish);
    const what = `MLP ${wish.widths.join("-")}, batch ${wish.batchSize}, ${wish.backend}`;
    const difference = Math.abs(ours.lastLoss / theirs.lastLoss - 1);
    if (!(difference < MOST_LOSS_DIFFERENCE) || !(ours.lastLoss < MOST_LOSS_LEFT * ours.firstLoss)) {
      throw new Error(
        `${what}: losses ${ours.firstLoss} to ${ours.lastLoss} (ours), ${theirs.firstLoss} to ${theirs.lastLoss} (TensorFlow.js)`,
      );
    }
    const losses = `loss ${ours.lastLoss.toFixed(4)}, peer's ${theirs.lastLoss.toFixed(4)}`;
    results.push({
      what,
      measured: median(ours.rowsPerSecond),
      unit: "rows/s",
      detail: `${spread(ours.rowsPerSecond)}; peer ${spread(theirs.rowsPerSecond)}; ${losses}`,
      peer: { name: `TF.js ${wish.backend}`, measured: median(theirs.rowsPerSecond) },
      target: { of: "ratio", bound: "at least", value: TARGETS[wish.backend] },
    });
  }
  const threads = await page.evaluate(() => globalThis.bench.tensorflowThreads());
  return {
    title: "Training",
    method: [
      "One local epoch of SGD (rate 0.1) with softmax cross-entropy: same model, weights, rows, page and run, epoch by",
      "epoch in turn after a warm-up; losses after the last epoch agree within 1%. TensorFlow.js 4.22 with batches",
      "uploaded beforehand, fused dense layers, `optimizer.minimize` and one readback an epoch; its WebAssembly is the build",
      `with SIMD and threads, offered one a core (it reports using ${threads}); ours has SIMD and one thread.`,
    ].join("\n"),
    results,
  };
}
