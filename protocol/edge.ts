import * as z from "zod";
import { Slug } from "./catalogs.ts";
import { ERROR_CODES } from "./errors.ts";
import { LocalTraining } from "./local-training.ts";
import { ModelSpec } from "./model.ts";
import { BackendName, NodeName } from "./nodes.ts";
import { Feature, FittedPreprocessing } from "./preprocessing.ts";

/*
 * What an edge process (the compute core in Node) and the command that started it say to each other over the
 * channel between parent and child, which copies typed arrays.
 */

/** Typed arrays, which the channel hands over as they are. */
const Values = z.custom<Float32Array<ArrayBuffer>>((value) => value instanceof Float32Array, {
  error: "wanted float32 values",
});

const Backend = z.enum([...BackendName.options, "auto"]);

/** Asks an edge process to run one node until it ends. Its first order. */
export const VolunteerOrder = z.strictObject({
  kind: z.literal("volunteer"),
  backend: Backend,
  /** Threads of the processor; `null` lets the node choose. */
  threads: z.int().min(1).max(4096).nullable(),
  coordinator: z.string(),
  name: NodeName,
  /** `null` lets the coordinator choose. */
  task: Slug.nullable(),
  /** Where the node's session and the shards of all nodes are kept between processes. */
  stateDirectory: z.string(),
});
export type VolunteerOrder = z.infer<typeof VolunteerOrder>;

/** Asks an edge process to hold a model, whose outputs are then asked for. Its first order. */
export const ModelOrder = z.strictObject({
  kind: z.literal("model"),
  backend: Backend,
  model: ModelSpec,
  training: LocalTraining,
  features: z.array(Feature),
  preprocessing: FittedPreprocessing,
  /** `[parameterCount]` */
  parameters: Values,
});
export type ModelOrder = z.infer<typeof ModelOrder>;

/** Raw columns of some rows, by name; NaN is missing. */
export const RowsOrder = z.strictObject({
  kind: z.literal("rows"),
  rows: z.int().min(1),
  /** Each `[rows]`; every column that the features name. */
  columns: z.record(z.string(), Values),
});
export type RowsOrder = z.infer<typeof RowsOrder>;

/** What an edge process is asked for. After `stop` it leaves what it takes part in, and ends. */
export const EdgeOrder = z.discriminatedUnion("kind", [
  VolunteerOrder,
  ModelOrder,
  RowsOrder,
  z.strictObject({ kind: z.literal("stop") }),
]);
export type EdgeOrder = z.infer<typeof EdgeOrder>;

/** What an edge process answers. */
export const EdgeReport = z.discriminatedUnion("kind", [
  /** Of a volunteer: its state after every change; the last one is final. */
  z.strictObject({ kind: z.literal("state"), state: z.unknown() }),
  /** To `model`: it is ready for rows. */
  z.strictObject({
    kind: z.literal("ready"),
    backend: BackendName,
    device: z.string(),
    notice: z.string().nullable(),
  }),
  /** To `rows`: `[rows, outputs]`, as the head has them. */
  z.strictObject({ kind: z.literal("outputs"), outputs: Values }),
  /** To any order that failed. */
  z.strictObject({ kind: z.literal("failed"), code: z.enum(ERROR_CODES), message: z.string() }),
]);
export type EdgeReport = z.infer<typeof EdgeReport>;
