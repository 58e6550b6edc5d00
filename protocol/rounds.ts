import * as z from "zod";
import { Shard, Slug } from "./catalogs.ts";
import { LocalTraining } from "./local-training.ts";
import { ModelSpec } from "./model.ts";
import { BackendName, NodeId } from "./nodes.ts";
import { Feature, FittedPreprocessing } from "./preprocessing.ts";
import { Label, Score } from "./tasks.ts";

/** SHA-256 of a model or update file, lower-case hexadecimal. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/);

const planBase = {
  task: Slug,
  round: z.int().nonnegative(),
  /** Seconds until the round closes, counted from the answer: no clock is shared. */
  deadlineSecs: z.number().nonnegative(),
  shards: z.array(Shard).min(1),
  features: z.array(Feature),
};

/** Round 0: send the statistics of every feature. */
export const FitPlan = z.strictObject({ kind: z.literal("fit"), ...planBase });
export type FitPlan = z.infer<typeof FitPlan>;

/** Rounds 1 and on: train from `baseModel` and send `parameters - base`. */
export const TrainPlan = z.strictObject({
  kind: z.literal("train"),
  ...planBase,
  /** Training rounds of the campaign, for the learning rate's schedule. */
  rounds: z.int().min(1),
  /** Digest of the global model to start from: `GET /federated/model?task=&round=` of `round - 1`. */
  baseModel: Digest,
  model: ModelSpec,
  label: Label,
  preprocessing: FittedPreprocessing,
  training: LocalTraining,
  seed: z.int().min(0).max(0xffffffff),
});
export type TrainPlan = z.infer<typeof TrainPlan>;

/** What a node gets from `GET /federated/plan`, 200. */
export const RoundPlan = z.discriminatedUnion("kind", [FitPlan, TrainPlan]);
export type RoundPlan = z.infer<typeof RoundPlan>;

/** `GET /federated/plan`, 202: nothing to do, why, and when to ask again. */
export const NoPlan = z.strictObject({
  retryAfterSecs: z.number().nonnegative(),
  reason: z.string(),
  /** `true` when the task has ended and nothing more will come. */
  finished: z.boolean(),
});
export type NoPlan = z.infer<typeof NoPlan>;

const wholeNumber = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, "wanted a whole number")
  .transform(Number);
const positiveWholeNumber = wholeNumber.refine((n) => n > 0, "wanted a number above 0");
/** A number as a string; `NaN` and infinities become `null`, for metrics only. */
const metric = z
  .string()
  .max(40)
  .transform((text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  });

/** `__metadata__` of an update's safetensors file: strings, as the format wants them. */
export const UpdateMetadata = z.strictObject({
  task: Slug,
  round: wholeNumber,
  node: NodeId,
  exampleCount: positiveWholeNumber,
  /** Digest of the model trained from; absent in round 0. */
  baseModel: Digest.optional(),
  backend: BackendName,
  /** Mean training loss over the last local epoch. */
  loss: metric.optional(),
  examplesPerSecond: metric.optional(),
});
export type UpdateMetadata = z.infer<typeof UpdateMetadata>;

/** `POST /federated/update`, 202: the update is on disk and will be counted once. */
export const UpdateReceipt = z.strictObject({
  task: Slug,
  round: z.int().nonnegative(),
  node: NodeId,
  digest: Digest,
});
export type UpdateReceipt = z.infer<typeof UpdateReceipt>;

/** One accepted update in a round's history. */
export const Participant = z.strictObject({
  nodeId: NodeId,
  name: z.string(),
  backend: BackendName,
  exampleCount: z.int().positive(),
  loss: z.number().nullable(),
  examplesPerSecond: z.number().nullable(),
  /** Digest of the update file. */
  digest: Digest,
});
export type Participant = z.infer<typeof Participant>;

export const RoundPhase = z.enum(["waiting", "collecting", "aggregating", "closed"]);
export type RoundPhase = z.infer<typeof RoundPhase>;

/** One round as `GET /federated/rounds` shows it. */
export const RoundStatus = z.strictObject({
  task: Slug,
  round: z.int().nonnegative(),
  kind: z.enum(["fit", "train"]),
  phase: RoundPhase,
  /** How often the round reached its deadline short of `minNodes` updates and was opened again. */
  attempts: z.int().nonnegative(),
  cohort: z.int().nonnegative(),
  participants: z.array(Participant),
  examples: z.int().nonnegative(),
  /** Example-weighted mean of the nodes' training losses. */
  loss: z.number().nullable(),
  score: Score.nullable(),
  /** Wall time from opening to closing, `null` while open. */
  seconds: z.number().nonnegative().nullable(),
  bytesUp: z.int().nonnegative(),
  bytesDown: z.int().nonnegative(),
  /** Refused updates by error code. */
  rejected: z.record(z.string(), z.int().positive()),
  /** Digest of the global model after this round. */
  model: Digest.nullable(),
  /** Why the round's aggregate was not published and the model before it stays; `null` when it was. */
  withheld: z.string().nullable(),
});
export type RoundStatus = z.infer<typeof RoundStatus>;
export const RoundList = z.strictObject({ task: Slug, rounds: z.array(RoundStatus) });
