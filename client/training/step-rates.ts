import { learningRateAt } from "../../protocol/local-training.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";

/**
 * The learning rate of every step of a local epoch: `learningRateAt` with `done` the share of the round's steps
 * (over all its local epochs) before the step.
 *
 * @param localEpoch from 0
 * @param rows rows of an epoch
 * @returns `[ceil(rows / batchSize)]`
 */
export function stepRates(plan: TrainPlan, localEpoch: number, rows: number): Float32Array<ArrayBuffer> {
  const { training, round, rounds } = plan;
  const steps = Math.ceil(rows / training.batchSize);
  const before = localEpoch * steps;
  const ofRound = training.localEpochs * steps;
  return Float32Array.from({ length: steps }, (_, step) =>
    learningRateAt(training, { round, rounds, done: (before + step) / ofRound }),
  );
}
