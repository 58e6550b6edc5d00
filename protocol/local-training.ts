import * as z from "zod";

const momentum = z.number().min(0).lt(1);
const adamMoments = {
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
};

/** The local optimiser; its state starts at zero in every round. Formulae: `Backend` in the client. */
export const Optimizer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sgd") }),
  z.strictObject({ kind: z.literal("momentum"), momentum }),
  z.strictObject({ kind: z.literal("nesterov"), momentum }),
  z.strictObject({ kind: z.literal("adam"), ...adamMoments }),
  /** Adam with decay `w -= rate * weightDecay * w` beside its step, not in its gradient. */
  z.strictObject({ kind: z.literal("adamw"), ...adamMoments, weightDecay: z.number().min(0).lt(1) }),
]);
export type Optimizer = z.infer<typeof Optimizer>;

/** How the learning rate changes over a campaign's rounds. Formulae: `learningRateAt`. */
export const LearningRateSchedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  /** Ends at `finalFraction` of the first rate. */
  z.strictObject({ kind: z.literal("cosine"), finalFraction: z.number().min(0).max(1) }),
  /** Multiplied by `factor` after every `everyRounds` rounds. */
  z.strictObject({
    kind: z.literal("step"),
    everyRounds: z.int().min(1).max(100_000),
    factor: z.number().positive().max(1),
  }),
]);
export type LearningRateSchedule = z.infer<typeof LearningRateSchedule>;

/** What a node does with its shards in a round. What a task leaves out has its default: off. */
export const LocalTraining = z.strictObject({
  localEpochs: z.int().min(1).max(1000),
  batchSize: z.int().min(1).max(65_536),
  localLearningRate: z.number().positive(),
  schedule: LearningRateSchedule.default({ kind: "constant" }),
  optimizer: Optimizer,
  /** For the head `softmax-cross-entropy`: the factor of each class's loss, `[outputs]`; `null` for 1. */
  classWeights: z.array(z.number().nonnegative().max(1e6)).min(1).max(2048).nullable().default(null),
  /** For the head `huber`: the error at which its loss turns from squared to linear. */
  huberDelta: z.number().positive().default(1),
  /** Probability with which a hidden unit is dropped in a step; those kept are scaled by `1 / (1 - dropout)`. */
  dropout: z.number().min(0).max(0.95).default(0),
  /** `l2 / 2 * |w|^2` is added to the loss that is minimised, biases included. */
  l2: z.number().min(0).default(0),
  /** A batch's gradient is scaled down to this Euclidean norm; `null` for no bound. */
  gradientClipNorm: z.number().positive().nullable().default(null),
  /** A round's update is scaled down to this Euclidean norm before it is sent; `null` for no bound. */
  updateClipNorm: z.number().positive().nullable().default(null),
});
export type LocalTraining = z.infer<typeof LocalTraining>;

/** What is given, and the default of everything else. */
export function localTraining(given: z.input<typeof LocalTraining>): LocalTraining {
  return LocalTraining.parse(given);
}

/** A moment of a campaign. */
export interface CampaignMoment {
  /** From 1. */
  readonly round: number;
  /** Training rounds of the campaign. */
  readonly rounds: number;
  /** Share of the round's steps that are done, `[0, 1)`. */
  readonly done: number;
}

/**
 * The learning rate of the step at a moment, with `lr = localLearningRate`:
 *
 * - constant: `lr`
 * - cosine: `lr * (f + (1 - f) * (1 + cos(pi * p)) / 2)`, `p = (round - 1 + done) / rounds`, `f = finalFraction`
 * - step: `lr * factor ^ floor((round - 1) / everyRounds)`
 *
 * Source: cosine annealing without restarts, Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5.
 */
export function learningRateAt(
  { localLearningRate, schedule }: LocalTraining,
  { round, rounds, done }: CampaignMoment,
): number {
  switch (schedule.kind) {
    case "constant":
      return localLearningRate;
    case "cosine": {
      const { finalFraction } = schedule;
      const progress = (round - 1 + done) / rounds;
      return (
        localLearningRate * (finalFraction + ((1 - finalFraction) * (1 + Math.cos(Math.PI * progress))) / 2)
      );
    }
    case "step":
      return localLearningRate * schedule.factor ** Math.floor((round - 1) / schedule.everyRounds);
  }
}
