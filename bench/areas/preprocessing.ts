import type { PreparationWish } from "../page/preprocessing.ts";
import type { Bench } from "../processes/bench.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { median, spread } from "../report/spread.ts";

const WISHES: readonly PreparationWish[] = (["wasm", "webgpu"] as const).flatMap((backend) => [
  { backend, rows: 1_024, runs: 50 },
  { backend, rows: 8_000, runs: 30 },
  { backend, rows: 1_000_000, runs: 5 },
]);
const LEAST_PREPROCESSED = 50_000;
const LEAST_ENCODED = 100_000;

/** From an Arrow shard's bytes to standardised features on the device. */
export async function preprocessing({ browser, quick }: Bench): Promise<AreaResults> {
  const results: Result[] = [];
  for (const wish of WISHES) {
    const { backend, rows } = wish;
    await browser.restart();
    const times = await browser.ask("prepare", quick ? { ...wish, runs: 1 } : wish);
    const shape = `${rows.toLocaleString("en-US")} records, ${backend}`;
    results.push(
      rate(`preprocess ${shape}`, rows, times.preprocessMs, LEAST_PREPROCESSED),
      rate(`Arrow to device ${shape}`, rows, times.encodeMs, LEAST_ENCODED),
    );
    if (rows === 1_024) {
      results.push({
        what: `preprocess ${shape}, end to end`,
        measured: median(times.preprocessMs),
        unit: "ms",
        detail: spread(times.preprocessMs),
        peer: null,
        target: null,
      });
    }
  }
  return {
    title: "Preprocessing",
    method: [
      "Five float32 columns with 2% missing values and a class, seven features (three of them columns, four differences).",
      "Preprocess: columns to standardised features on the device (encode, moments, impute, standardise). Arrow to device:",
      "bytes of an Arrow IPC stream to the feature matrix on the device, labels read too. Each run waits for the device.",
    ].join("\n"),
    results,
  };
}

function rate(what: string, rows: number, times: readonly number[], least: number): Result {
  const rates = times.map((ms) => (rows / ms) * 1000);
  return {
    what,
    measured: median(rates),
    unit: "records/s",
    detail: spread(rates),
    peer: null,
    target: { of: "measured", bound: "at least", value: least },
  };
}
