import { AstroScaleError } from "../../protocol/errors.ts";
import type { LocalTraining } from "../../protocol/local-training.ts";
import { type ModelSpec, targetsPerRow } from "../../protocol/model.ts";
import type { TrainingSet } from "./backend.ts";

/**
 * The targets' words, ready to be copied: u32 classes, or the bits of f32 values `[rows, targetsPerRow]`.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes
 */
export function checkedTargets(model: ModelSpec, { x, targets }: TrainingSet): Uint32Array<ArrayBuffer> {
  const { inputs, outputs, head } = model;
  if (x.cols !== inputs) throw mismatch(`x has ${x.cols} columns, the model ${inputs} inputs`);
  const wanted = head === "softmax-cross-entropy" ? "class" : "value";
  if (targets.kind !== wanted)
    throw mismatch(`${targets.kind} targets, head "${head}" needs ${wanted} targets`);
  if (targets.kind === "value") {
    const { values } = targets;
    const perRow = targetsPerRow(model);
    if (values.length !== x.rows * perRow) {
      throw mismatch(`${values.length} target values, wanted ${x.rows} x ${perRow}`);
    }
    return new Uint32Array(values.buffer, values.byteOffset, values.length);
  }
  const { classes } = targets;
  if (classes.length !== x.rows) throw mismatch(`${classes.length} classes, x has ${x.rows} rows`);
  checkIndices(classes, outputs, "class");
  return classes;
}

/**
 * The factor of each class's loss, `[outputs]`, or `null` where all are 1.
 *
 * @throws {AstroScaleError} `shape_mismatch` when there are weights and not one for each class
 */
export function checkedClassWeights(
  { head, outputs }: ModelSpec,
  { classWeights }: LocalTraining,
): Float32Array<ArrayBuffer> | null {
  if (classWeights === null) return null;
  if (head !== "softmax-cross-entropy") throw mismatch(`class weights, head "${head}" has no classes`);
  if (classWeights.length !== outputs) {
    throw mismatch(`${classWeights.length} class weights, wanted ${outputs}`);
  }
  return Float32Array.from(classWeights);
}

/** @throws {AstroScaleError} `shape_mismatch` when an index is not below `end` */
export function checkIndices(indices: Uint32Array<ArrayBuffer>, end: number, name: string): void {
  for (const index of indices) {
    if (index >= end) throw mismatch(`${name} ${index}, wanted one below ${end}`);
  }
}

/** @throws {AstroScaleError} `shape_mismatch` when there is not one learning rate for each batch of `count` rows */
export function checkRates(rates: Float32Array<ArrayBuffer>, count: number, batchSize: number): void {
  const steps = Math.ceil(count / batchSize);
  if (rates.length !== steps) throw mismatch(`${rates.length} learning rates, wanted ${steps}`);
}

function mismatch(message: string): AstroScaleError {
  return new AstroScaleError("shape_mismatch", message);
}
