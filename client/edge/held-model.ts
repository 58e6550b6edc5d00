import type { ModelOrder, RowsOrder } from "../../protocol/edge.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { targetsPerRow } from "../../protocol/model.ts";
import type { Backend, Targets } from "../backend/backend.ts";
import { featureColumns } from "../data/training-columns.ts";

/** A model with its preprocessing, whose outputs can be asked for. */
export type HeldModel = Omit<ModelOrder, "kind" | "backend">;

/**
 * Outputs of a model for raw columns, all computed on the backend by what nodes run: features, imputation,
 * standardisation `x = ((isNaN(f) ? fill : f) - mean) * invStd`, forward pass.
 *
 * @returns `[rows, outputs]`, as the head has them
 * @throws {AstroScaleError} `column_missing` when a column that a feature names is not there; `shape_mismatch` when
 * columns or parameters do not fit; what `Backend.trainer` throws
 */
export async function modelOutputs(
  backend: Backend,
  held: HeldModel,
  { rows, columns: named }: Pick<RowsOrder, "rows" | "columns">,
): Promise<Float32Array<ArrayBuffer>> {
  const { model, training, features, preprocessing, parameters } = held;
  const table = {
    rows,
    numbers: (name: string) => {
      const column = named[name];
      if (column?.length === rows) return column;
      if (column === undefined) throw new AstroScaleError("column_missing", `no column "${name}"`);
      throw new AstroScaleError("shape_mismatch", `column "${name}" has ${column.length} of ${rows} rows`);
    },
  };
  const { columns, terms } = featureColumns([table], features);
  const x = backend.encodeFeatures(columns, terms);
  try {
    backend.impute(x, Float32Array.from(preprocessing.fill));
    backend.standardise(x, Float32Array.from(preprocessing.mean), Float32Array.from(preprocessing.invStd));
    const set = { x, targets: noTargets(held, rows) };
    const trainer = await backend.trainer({ model, training, set });
    try {
      trainer.load({ parameters, proximalMu: 0, correction: null, dropoutSeed: 0 });
      return await trainer.outputs();
    } finally {
      trainer.dispose();
    }
  } finally {
    x.dispose();
  }
}

/** Outputs depend on no target, but a training set has one a row. */
function noTargets({ model }: HeldModel, rows: number): Targets {
  return model.head === "softmax-cross-entropy"
    ? { kind: "class", classes: new Uint32Array(rows) }
    : { kind: "value", values: new Float32Array(rows * targetsPerRow(model)) };
}
