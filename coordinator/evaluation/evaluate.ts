import { AstroScaleError } from "../../protocol/errors.ts";
import { parameterCount, targetsPerRow } from "../../protocol/model.ts";
import type { FittedPreprocessing } from "../../protocol/preprocessing.ts";
import type { Score, TaskSpec } from "../../protocol/tasks.ts";
import type { HeldOutSet } from "../catalogs/catalog.ts";
import { forwardPass } from "./forward.ts";
import { taskScorer } from "./task-scorer.ts";
import { runInSlices, type SliceOptions } from "./time-slice.ts";

/** A global model and the rows to score it on. */
export interface Evaluation {
  readonly task: Pick<TaskSpec, "model" | "label" | "training">;
  /** `[parameterCount(task.model)]` */
  readonly parameters: Float32Array;
  readonly preprocessing: FittedPreprocessing;
  readonly heldOut: HeldOutSet;
}

/**
 * Score of a global model on the held-out rows; the definitions are those of `taskScorer`.
 * Rows are summed in order, so the same input gives the same bits. Works in slices and lets the event loop
 * run between them.
 *
 * @throws {AstroScaleError} `diverged` when an output is NaN or infinite; `shape_mismatch` when parameters,
 * preprocessing and rows do not fit the model; `invalid_request` when there is no row or a target is not the
 * label's
 */
export async function evaluate(evaluation: Evaluation, options?: Partial<SliceOptions>): Promise<Score> {
  checkShapes(evaluation);
  return runInSlices(scoring(evaluation), options);
}

function* scoring({ task, parameters, preprocessing, heldOut }: Evaluation): Generator<void, Score, void> {
  const { model } = task;
  const { rows, x, targets } = heldOut;
  const network = forwardPass(model, parameters);
  const scorer = taskScorer(task);
  const standardised = new Float32Array(model.inputs);
  for (let row = 0; row < rows; row++) {
    standardise(x.subarray(row * model.inputs, (row + 1) * model.inputs), preprocessing, standardised);
    const outputs = yield* network.outputs(standardised);
    checkFinite(outputs, row);
    scorer.add(outputs, targets[row] ?? Number.NaN);
  }
  return scorer.score();
}

/** `z = ((isNaN(x) ? fill : x) - mean) * invStd`, in float64 and rounded to float32. */
function standardise(x: Float32Array, { fill, mean, invStd }: FittedPreprocessing, z: Float32Array): void {
  for (let f = 0; f < z.length; f++) {
    const value = x[f] ?? Number.NaN;
    z[f] = ((Number.isNaN(value) ? (fill[f] ?? 0) : value) - (mean[f] ?? 0)) * (invStd[f] ?? 1);
  }
}

function checkFinite(outputs: Float32Array, row: number): void {
  for (let o = 0; o < outputs.length; o++) {
    if (Number.isFinite(outputs[o])) continue;
    throw new AstroScaleError("diverged", `output ${o} of held-out row ${row} is ${outputs[o]}`);
  }
}

function checkShapes({ task: { model, label }, parameters, preprocessing, heldOut }: Evaluation): void {
  const { rows, x, targets } = heldOut;
  if (rows === 0) throw new AstroScaleError("invalid_request", "the held-out set has no row to score");
  const lengths = [
    ["parameters", parameters.length, parameterCount(model)],
    label.kind === "class"
      ? ["outputs", model.outputs, label.classes.length]
      : ["values a row", targetsPerRow(model), 1],
    ["preprocessing.fill", preprocessing.fill.length, model.inputs],
    ["preprocessing.mean", preprocessing.mean.length, model.inputs],
    ["preprocessing.invStd", preprocessing.invStd.length, model.inputs],
    ["heldOut.x", x.length, rows * model.inputs],
    ["heldOut.targets", targets.length, rows],
  ] as const;
  for (const [name, found, wanted] of lengths) {
    if (found !== wanted) {
      throw new AstroScaleError("shape_mismatch", `${name} has ${found} values, wanted ${wanted}`);
    }
  }
}
