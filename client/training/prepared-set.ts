import type { TrainPlan } from "../../protocol/rounds.ts";
import type { Backend, Trainer } from "../backend/backend.ts";
import type { LabelledRows } from "./training-rows.ts";

/** Encoded, imputed and standardised features on the device, with a trainer whose pipelines are compiled. */
export interface PreparedSet {
  /** Plans with the same key train on the same prepared set. */
  readonly key: string;
  readonly rows: number;
  readonly trainer: Trainer;
  /** Frees the matrix and the trainer. */
  dispose(): void;
}

/**
 * What a prepared set depends on: shards by content, features, label, preprocessing, model, and the training's
 * terms but for those that `localUpdate` applies itself.
 */
export function preparedKey(plan: TrainPlan): string {
  const { shards, features, label, preprocessing, model } = plan;
  const applied = { localEpochs: null, localLearningRate: null, schedule: null, updateClipNorm: null };
  const terms = { ...plan.training, ...applied };
  return JSON.stringify([shards.map(({ etag }) => etag), features, label, preprocessing, model, terms]);
}

/** How a prepared set is made. */
export interface PreparationOptions {
  /** `TrainerRequest.maxRowsAtOnce`; left out, the backend decides. */
  readonly maxRowsAtOnce?: number;
}

/**
 * A prepared set for `plan`: `x = ((isNaN(f) ? fill : f) - mean) * invStd` of every feature `f`, computed on
 * the device.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the rows do not fit the model; `device_lost`; `out_of_memory`
 */
export async function prepareSet(
  backend: Backend,
  plan: TrainPlan,
  data: LabelledRows,
  options: PreparationOptions = {},
): Promise<PreparedSet> {
  const { model, training } = plan;
  const { fill, mean, invStd } = plan.preprocessing;
  const x = backend.encodeFeatures(data.columns, data.terms);
  try {
    backend.impute(x, Float32Array.from(fill));
    backend.standardise(x, Float32Array.from(mean), Float32Array.from(invStd));
    const set = { x, targets: data.targets };
    const trainer = await backend.trainer({ model, training, set, ...options });
    return {
      key: preparedKey(plan),
      rows: data.rows,
      trainer,
      dispose() {
        trainer.dispose();
        x.dispose();
      },
    };
  } catch (error) {
    x.dispose();
    throw error;
  }
}
