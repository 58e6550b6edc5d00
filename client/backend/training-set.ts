import { AstroScaleError } from "../../protocol/errors.ts";
import type { ModelSpec } from "../../protocol/model.ts";
import type { TrainingSet } from "./backend.ts";

/**
 * The targets' words, ready to be copied: u32 classes, or the bits of f32 values.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes
 */
export function checkedTargets(
  { inputs, outputs, head }: ModelSpec,
  { x, targets }: TrainingSet,
): Uint32Array<ArrayBuffer> {
  if (x.cols !== inputs) throw mismatch(`x has ${x.cols} columns, the model ${inputs} inputs`);
  const wanted = head === "softmax-cross-entropy" ? "class" : "value";
  if (targets.kind !== wanted)
    throw mismatch(`${targets.kind} targets, head "${head}" needs ${wanted} targets`);
  if (targets.kind === "value") {
    const { values } = targets;
    if (values.length !== x.rows * outputs) {
      throw mismatch(`${values.length} target values, wanted ${x.rows} x ${outputs}`);
    }
    return new Uint32Array(values.buffer, values.byteOffset, values.length);
  }
  const { classes } = targets;
  if (classes.length !== x.rows) throw mismatch(`${classes.length} classes, x has ${x.rows} rows`);
  checkIndices(classes, outputs, "class");
  return classes;
}

/** @throws {AstroScaleError} `shape_mismatch` when an index is not below `end` */
export function checkIndices(indices: Uint32Array<ArrayBuffer>, end: number, name: string): void {
  for (const index of indices) {
    if (index >= end) throw mismatch(`${name} ${index}, wanted one below ${end}`);
  }
}

function mismatch(message: string): AstroScaleError {
  return new AstroScaleError("shape_mismatch", message);
}
