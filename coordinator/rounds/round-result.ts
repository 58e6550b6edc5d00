import { AstroScaleError } from "../../protocol/errors.ts";
import { initialise } from "../../protocol/model.ts";
import { type FittedPreprocessing, fitPreprocessing } from "../../protocol/preprocessing.ts";
import { decodeStatistics, mergeStatistics, NO_STATISTICS } from "../../protocol/statistics.ts";
import type { Score, TaskSpec } from "../../protocol/tasks.ts";
import { decodeWeights, encodeWeights } from "../../protocol/weights.ts";
import { openStrategy } from "../aggregation/open-strategy.ts";
import type { ClientUpdate } from "../aggregation/strategy.ts";
import type { HeldOutSet } from "../catalogs/catalog.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import type { RoundBook } from "./round-book.ts";
import type { RoundRecord, UpdateEntry } from "./round-record.ts";

/** A global model and what is needed to use it. */
export interface GlobalModel {
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly preprocessing: FittedPreprocessing;
  /** Digest of its safetensors file. */
  readonly digest: string;
}

/** What closing a round made. */
export interface RoundResult {
  readonly model: GlobalModel;
  readonly score: Score | null;
  /** Why the aggregate was not published; `model` is then the one before. */
  readonly withheld: string | null;
}

/** What closing needs beside the updates. */
export interface RoundMaterials {
  readonly task: TaskSpec;
  readonly round: number;
  readonly book: RoundBook;
  readonly heldOut: HeldOutSet;
}

/** The newest model that `records` name; `null` before round 0 has closed. */
export async function publishedModel(
  task: TaskSpec,
  book: RoundBook,
  records: readonly RoundRecord[],
): Promise<GlobalModel | null> {
  const digest = records.findLast(({ status }) => status.model !== null)?.status.model;
  const preprocessing = records[0]?.preprocessing;
  if (!digest || !preprocessing) return null;
  const parameters = decodeWeights(task.model, await book.file(digest));
  return { parameters, preprocessing, digest };
}

/**
 * Round 0: merges the nodes' statistics (Chan), fits the preprocessing, and publishes the initial model.
 * Running it again gives the same bits.
 */
export async function closeFit(
  materials: RoundMaterials,
  entries: readonly UpdateEntry[],
): Promise<RoundResult> {
  const { task, book } = materials;
  let merged = task.features.map(() => NO_STATISTICS);
  for (const { participant } of entries) {
    const statistics = decodeStatistics(await book.file(participant.digest), task.features.length);
    merged = merged.map((column, f) => mergeStatistics(column, statistics[f] ?? NO_STATISTICS));
  }
  const preprocessing = fitPreprocessing(merged);
  return publish(materials, initialise(task.model, task.seed), preprocessing);
}

/**
 * A training round: the strategy's next global model, scored on the held-out rows. An aggregate that is not
 * finite is withheld. Running it again gives the same bits.
 */
export async function closeTrain(
  materials: RoundMaterials,
  entries: readonly UpdateEntry[],
  before: GlobalModel,
): Promise<RoundResult> {
  const { task } = materials;
  try {
    const strategy = openStrategy(task.strategy);
    const parameters = await strategy.aggregate(before.parameters, clientUpdates(materials, entries));
    return await publish(materials, parameters, before.preprocessing);
  } catch (error) {
    if (!(error instanceof AstroScaleError) || !["diverged", "non_finite"].includes(error.code)) throw error;
    return { model: before, score: null, withheld: error.message };
  }
}

async function* clientUpdates(
  { task, book }: RoundMaterials,
  entries: readonly UpdateEntry[],
): AsyncGenerator<ClientUpdate> {
  for (const { participant } of entries) {
    const delta = decodeWeights(task.model, await book.file(participant.digest));
    yield { delta, exampleCount: participant.exampleCount };
  }
}

async function publish(
  { task, round, book, heldOut }: RoundMaterials,
  parameters: Float32Array<ArrayBuffer>,
  preprocessing: FittedPreprocessing,
): Promise<RoundResult> {
  const score = await evaluate({ task, parameters, preprocessing, heldOut });
  const digest = await book.putFile(
    encodeWeights(task.model, parameters, modelMetadata(task, round, preprocessing)),
  );
  return { model: { parameters, preprocessing, digest }, score, withheld: null };
}

/** Metadata of a model file: everything needed to use it, as JSON strings. */
function modelMetadata(
  task: TaskSpec,
  round: number,
  preprocessing: FittedPreprocessing,
): Record<string, string> {
  return {
    format: "astroscale-model-1",
    task: task.id,
    round: String(round),
    model: JSON.stringify(task.model),
    features: JSON.stringify(task.features),
    label: JSON.stringify(task.label),
    preprocessing: JSON.stringify(preprocessing),
  };
}
