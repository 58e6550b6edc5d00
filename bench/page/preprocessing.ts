import type { Backend, Matrix } from "../../client/backend/backend.ts";
import { readShardTable } from "../../client/data/shard-table.ts";
import { featureColumns, labelTargets } from "../../client/data/training-columns.ts";
import { encodeShard } from "../../coordinator/catalogs/arrow-shard.ts";
import { SDSS_FEATURES } from "../../coordinator/default-tasks.ts";
import type { Shard } from "../../protocol/catalogs.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import { fitPreprocessing } from "../../protocol/preprocessing.ts";
import { openOurs } from "./ours.ts";
import { SURVEY_LABEL, survey } from "./survey.ts";

/** How much is prepared, where, how often. */
export interface PreparationWish {
  readonly backend: BackendName;
  readonly rows: number;
  readonly runs: number;
}

/** Milliseconds, one entry a run. */
export interface PreparationTimes {
  /** From an Arrow shard's bytes to the feature matrix on the device and the labels beside it. */
  readonly encodeMs: readonly number[];
  /** From columns to standardised features on the device: encode, moments, impute, standardise. */
  readonly preprocessMs: readonly number[];
}

const WARM_UP_RUNS = 3;
const MISSING = 0.02;
const BANDS = ["u", "g", "r", "i", "z"];
/** Resolves when the device has done everything before. */
async function settled(backend: Backend): Promise<void> {
  const one = backend.matrix(new Float32Array(1), 1, 1);
  await backend.read(one);
  one.dispose();
}

async function timed(runs: number, work: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < WARM_UP_RUNS + runs; run++) {
    const startMs = performance.now();
    await work();
    times.push(performance.now() - startMs);
  }
  return times.slice(WARM_UP_RUNS);
}

/** Times both halves of what a node does with a shard before it trains. */
export async function prepare({ backend: name, rows, runs }: PreparationWish): Promise<PreparationTimes> {
  const backend = await openOurs({ backend: name, threads: 1 });
  const bytes = encodeShard(
    survey(rows, BANDS, MISSING),
    Array.from({ length: rows }, (_, row) => row),
  );
  const shard: Shard = { catalog: "bench", id: "all", rows, bytes: bytes.length, etag: "0".repeat(64) };
  const encodeMs = await timed(runs, async () => {
    const table = readShardTable(bytes, shard);
    const { columns, terms } = featureColumns([table], SDSS_FEATURES);
    labelTargets([table], SURVEY_LABEL);
    const x = backend.encodeFeatures(columns, terms);
    await settled(backend);
    x.dispose();
  });

  const { columns, terms } = featureColumns([readShardTable(bytes, shard)], SDSS_FEATURES);
  let last: Matrix | null = null as Matrix | null;
  const preprocessMs = await timed(runs, async () => {
    const x = backend.encodeFeatures(columns, terms);
    const { fill, mean, invStd } = fitPreprocessing(await backend.moments(x));
    backend.impute(x, Float32Array.from(fill));
    backend.standardise(x, Float32Array.from(mean), Float32Array.from(invStd));
    await settled(backend);
    last?.dispose();
    last = x;
  });
  if (last) await checkStandardised(backend, last);
  backend.dispose();
  return { encodeMs, preprocessMs };
}

/** @throws when a column's mean is not 0 or its variance not 1, to float32's three digits over many rows */
async function checkStandardised(backend: Backend, x: Matrix): Promise<void> {
  for (const { count, missing, mean, m2 } of await backend.moments(x)) {
    if (missing === 0 && Math.abs(mean) < 1e-3 && Math.abs(m2 / count - 1) < 1e-3) continue;
    throw new Error(`${backend.name}: a standardised column has mean ${mean}, m2 ${m2} over ${count} rows`);
  }
}
