import * as z from "zod";
import { Slug } from "./catalogs.ts";
import { LocalTraining } from "./local-training.ts";
import { type Head, ModelSpec } from "./model.ts";
import { Feature } from "./preprocessing.ts";

/** What is predicted: one of `classes`, or a number. */
export const Label = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("class"),
    column: z.string(),
    classes: z.array(z.string()).min(2).max(256),
  }),
  z.strictObject({ kind: z.literal("value"), column: z.string(), unit: z.string().nullable() }),
]);
export type Label = z.infer<typeof Label>;

/** How updates become the next global model. */
export const StrategyConfig = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("fedavg") })]);
export type StrategyConfig = z.infer<typeof StrategyConfig>;

/** When a round opens and closes. */
export const RoundRules = z.strictObject({
  /** Training rounds; round 0 fits the preprocessing and is not counted. */
  rounds: z.int().min(1).max(100_000),
  /** Nodes needed before a round opens, and updates needed at its deadline. */
  minNodes: z.int().min(1).max(1_000_000),
  /** At most this many nodes take part in a round. */
  maxNodes: z.int().min(1).max(1_000_000),
  roundDeadlineSecs: z.number().positive().max(86_400),
  /** A training round opens no sooner than this after the one before opened. */
  roundIntervalSecs: z.number().min(0).max(86_400),
  /** An update whose Euclidean norm exceeds this is refused as `norm_exceeded`. */
  maxUpdateNorm: z.number().positive(),
});
export type RoundRules = z.infer<typeof RoundRules>;

const HEADS: Readonly<Record<Label["kind"], readonly Head[]>> = {
  class: ["softmax-cross-entropy"],
  value: ["mean-squared-error", "huber", "gaussian"],
};

/** What is learned, as `POST /tasks` takes it. */
export const TaskSpec = z
  .strictObject({
    id: Slug,
    title: z.string().min(1).max(120),
    description: z.string().max(2000),
    catalog: Slug,
    features: z.array(Feature).min(1).max(4096),
    label: Label,
    model: ModelSpec,
    training: LocalTraining,
    strategy: StrategyConfig,
    rules: RoundRules,
    /** Seed of the initial model and of every node's shuffling. */
    seed: z.int().min(0).max(0xffffffff),
    /** The task whose centralised score this one gives: one node trains alone on every shard. */
    baselineOf: Slug.nullable(),
  })
  .check((context) => {
    const { model, features, label, rules, training } = context.value;
    const refuse = (path: string[], message: string): void => {
      context.issues.push({ code: "custom", input: context.value, path, message });
    };
    if (model.inputs !== features.length) {
      refuse(["model", "inputs"], `${model.inputs} inputs, the task has ${features.length} features`);
    }
    const heads = HEADS[label.kind];
    if (!heads.includes(model.head)) {
      const wanted = heads.map((head) => `"${head}"`).join(" or ");
      refuse(["model", "head"], `head "${model.head}", a ${label.kind} label needs ${wanted}`);
    } else {
      const perValue = model.head === "gaussian" ? 2 : 1;
      const outputs = label.kind === "class" ? label.classes.length : perValue;
      if (model.outputs !== outputs) {
        refuse(["model", "outputs"], `${model.outputs} outputs, wanted ${outputs}`);
      }
    }
    const weights = training.classWeights;
    if (weights !== null && label.kind !== "class") {
      refuse(["training", "classWeights"], "class weights, the label is a value");
    } else if (weights !== null && weights.length !== model.outputs) {
      refuse(["training", "classWeights"], `${weights.length} class weights, wanted ${model.outputs}`);
    }
    if (rules.maxNodes < rules.minNodes) {
      refuse(["rules", "maxNodes"], `maxNodes ${rules.maxNodes} is below minNodes ${rules.minNodes}`);
    }
  });
export type TaskSpec = z.infer<typeof TaskSpec>;

/** Scores of one global model on the held-out rows. */
export const Score = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("class"), loss: z.number(), accuracy: z.number(), macroF1: z.number() }),
  z.strictObject({
    kind: z.literal("value"),
    loss: z.number(),
    rmse: z.number(),
    mae: z.number(),
    r2: z.number(),
  }),
]);
export type Score = z.infer<typeof Score>;

/** `waiting` for nodes, `running` rounds, `finished` after the last. */
export const TaskState = z.enum(["waiting", "running", "finished"]);
export type TaskState = z.infer<typeof TaskState>;

/** A task and where it stands, as `GET /tasks` shows it. */
export const TaskStatus = z.strictObject({
  task: TaskSpec,
  state: TaskState,
  /** Why nothing happens, in words for people, or `null`. */
  reason: z.string().nullable(),
  /** The open round, or the last one. */
  round: z.int().nonnegative(),
  nodes: z.int().nonnegative(),
  score: Score.nullable(),
  /** Score of the centralised run beside it, when there is one. */
  central: Score.nullable(),
});
export type TaskStatus = z.infer<typeof TaskStatus>;
export const TaskList = z.strictObject({ tasks: z.array(TaskStatus) });
