import type { Backend, LocalStart, Trainer } from "../../client/backend/backend.ts";
import { type LocalTraining, localTraining, type Optimizer } from "../../protocol/local-training.ts";
import { localTrainer } from "../oracle/local-training.ts";
import type { Network } from "../oracle/network.ts";
import { constantRates, type Problem, startAt } from "./samples.ts";

/** Plain SGD, for what takes no step. */
export const SGD = trainingWith({ kind: "sgd" }, 64);

/** Local training of one epoch with everything else off, but for what is given. */
export function trainingWith(
  optimizer: Optimizer,
  batchSize: number,
  given: Partial<LocalTraining> = {},
): LocalTraining {
  return localTraining({ localEpochs: 1, batchSize, localLearningRate: 0.02, optimizer, ...given });
}

/** A trainer to be made: `maxRowsAtOnce` where the batch is to be computed in parts. */
export interface Trained extends Problem {
  readonly maxRowsAtOnce?: number;
}

/** Runs `work` with a trainer of `given`, loaded with its parameters, and frees everything. */
export async function withTrainer<T>(
  backend: Backend,
  given: Trained,
  training: LocalTraining,
  work: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const { model, targets, maxRowsAtOnce } = given;
  const x = backend.matrix(given.x, given.rows, model.inputs);
  const parts = maxRowsAtOnce === undefined ? {} : { maxRowsAtOnce };
  const trainer = await backend.trainer({ model, training, set: { x, targets }, ...parts });
  try {
    trainer.load(startAt(given.parameters));
    return await work(trainer);
  } finally {
    trainer.dispose();
    x.dispose();
  }
}

/** The oracle's network, with what the head takes from the training. */
export function networkOf({ network }: Problem, { classWeights, huberDelta }: LocalTraining): Network {
  return { ...network, classWeights, huberDelta };
}

/** Rows in the order of their steps, and the rate of every step. */
export interface Epoch {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly rates: Float32Array<ArrayBuffer>;
}

/** What is trained from where, and how. */
export interface Run {
  readonly given: Trained;
  readonly training: LocalTraining;
  readonly epochs: readonly Epoch[];
  /** Terms that are left out are off. */
  readonly terms?: Partial<Omit<LocalStart, "parameters">>;
}

/** An epoch for each order, every step at the training's own rate. */
export function epochsOf(
  { batchSize, localLearningRate }: LocalTraining,
  orders: readonly Uint32Array<ArrayBuffer>[],
): Epoch[] {
  return orders.map((order) => ({
    order,
    rates: constantRates(order.length, batchSize, localLearningRate),
  }));
}

/** Losses of every epoch, and where they ended. */
export interface Outcome<Parameters> {
  readonly losses: readonly number[];
  readonly parameters: Parameters;
}

/** The run on a backend. */
export function train(
  backend: Backend,
  { given, training, epochs, terms }: Run,
): Promise<Outcome<Float32Array<ArrayBuffer>>> {
  return withTrainer(backend, given, training, async (trainer) => {
    trainer.load(startAt(given.parameters, terms));
    const losses: number[] = [];
    for (const { order, rates } of epochs) losses.push(await trainer.epoch(order, rates));
    return { losses, parameters: await trainer.parameters() };
  });
}

/** The run in float64. */
export function trainOracle({ given, training, epochs, terms }: Run): Outcome<Float64Array> {
  const { batchSize, optimizer, dropout, l2, gradientClipNorm } = training;
  const options = { batchSize, optimizer, dropout, l2, gradientClipNorm };
  const run = { network: networkOf(given, training), examples: given.examples, ...options };
  const trainer = localTrainer(run, { ...terms, parameters: given.parameters });
  const losses = epochs.map(({ order, rates }) => trainer.epoch(order, rates));
  return { losses, parameters: trainer.parameters };
}

/** How far each parameter has moved. */
export function movedFrom({ parameters }: Problem, found: ArrayLike<number>): Float64Array {
  return Float64Array.from(found, (value, i) => value - (parameters[i] ?? 0));
}
