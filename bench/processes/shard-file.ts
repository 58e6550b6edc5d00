import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeShard } from "../../coordinator/catalogs/arrow-shard.ts";
import type { Shard } from "../../protocol/catalogs.ts";
import type { Feature } from "../../protocol/preprocessing.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import { BRIGHTEST, FAINTEST, SURVEY_LABEL, survey } from "../page/survey.ts";
import { pageFolder } from "./bench-browser.ts";

const CATALOG = "bench";
const SPREAD = FAINTEST - BRIGHTEST;

/** A shard of a made-up survey, put where the benchmark's server serves it as a coordinator would. */
export async function writeShard(
  rows: number,
  bands: readonly string[],
  missingShare: number,
): Promise<Shard> {
  const everyRow = Array.from({ length: rows }, (_, row) => row);
  const bytes = encodeShard(survey(rows, bands, missingShare), everyRow);
  const id = `rows-${rows}`;
  const folder = join(pageFolder(), "catalogs", CATALOG, "shards");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, id), bytes);
  const etag = createHash("sha256").update(bytes).digest("hex");
  return { catalog: CATALOG, id, rows, bytes: bytes.length, etag };
}

/** The plan of a first training round of one local epoch on `shard`, preprocessing fitted already. */
export function planFor(
  shard: Shard,
  { features, model, training }: Pick<TaskSpec, "model" | "training"> & { features: readonly Feature[] },
): TrainPlan {
  return {
    kind: "train",
    task: "bench",
    round: 1,
    rounds: 1,
    deadlineSecs: 600,
    shards: [shard],
    features: [...features],
    baseModel: "0".repeat(64),
    model,
    label: SURVEY_LABEL,
    preprocessing: {
      fill: features.map(meanOf),
      mean: features.map(meanOf),
      // Uniform values have the variance w^2 / 12, differences of two of them twice that.
      invStd: features.map(({ minus }) => Math.sqrt(minus === null ? 12 : 6) / SPREAD),
    },
    training: { ...training, localEpochs: 1 },
    seed: 1,
  };
}

function meanOf({ minus }: Feature): number {
  return minus === null ? BRIGHTEST + SPREAD / 2 : 0;
}
