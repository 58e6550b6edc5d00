import { type LocalTraining, localTraining, type Optimizer } from "../../protocol/local-training.ts";
import { initialise, type ModelSpec } from "../../protocol/model.ts";
import { randomStream } from "../../protocol/random.ts";

/** A model and how it is trained. */
export interface TrainingShape {
  /** Inputs, hidden layers, classes. */
  readonly widths: readonly number[];
  readonly batchSize: number;
  /** A whole number of batches. */
  readonly rows: number;
  readonly optimizer: "sgd" | "adam";
}

/** Data that can be learned, and where learning starts: the same for every program. */
export interface Problem {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  readonly rows: number;
  /** `[rows, inputs]` */
  readonly x: Float32Array<ArrayBuffer>;
  /** `[rows]` */
  readonly classes: Uint32Array<ArrayBuffer>;
  readonly parameters: Float32Array<ArrayBuffer>;
}

const STREAM = 2000; // apart from the product's own streams
const OPTIMIZERS: Record<
  TrainingShape["optimizer"],
  { readonly rate: number; readonly optimizer: Optimizer }
> = {
  sgd: { rate: 0.02, optimizer: { kind: "sgd" } },
  adam: { rate: 0.003, optimizer: { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } },
};

/** Features uniform in ±1.7 (variance 1); a row's class is the largest of seeded linear scores. */
export function problem({ widths, batchSize, rows, optimizer: name }: TrainingShape): Problem {
  const inputs = widths[0] ?? 1;
  const outputs = widths.at(-1) ?? 1;
  const next = randomStream(1, STREAM);
  const uniform = (): number => Math.sqrt(3) * ((next() / 2 ** 32) * 2 - 1);
  const scores = Float32Array.from({ length: inputs * outputs }, uniform);
  const x = Float32Array.from({ length: rows * inputs }, uniform);
  const classes = Uint32Array.from({ length: rows }, (_, row) => {
    const scoreOf = (output: number): number => {
      let sum = 0;
      for (let i = 0; i < inputs; i++)
        sum += (x[row * inputs + i] ?? 0) * (scores[i * outputs + output] ?? 0);
      return sum;
    };
    const all = Array.from({ length: outputs }, (_unused, output) => scoreOf(output));
    return all.indexOf(Math.max(...all));
  });
  const model: ModelSpec = {
    inputs,
    hidden: widths.slice(1, -1),
    outputs,
    activation: "relu",
    head: "softmax-cross-entropy",
  };
  const { rate, optimizer } = OPTIMIZERS[name];
  const training = localTraining({ localEpochs: 1, batchSize, localLearningRate: rate, optimizer });
  return { model, training, rows, x, classes, parameters: initialise(model, 1) };
}

/** A batch as programs take it that want features and one-hot labels. */
export interface Batch {
  /** `[batchSize, inputs]` */
  readonly x: Float32Array<ArrayBuffer>;
  /** One-hot, `[batchSize, outputs]` */
  readonly labels: Float32Array<ArrayBuffer>;
}

/** The problem's rows cut into batches, in order. */
export function batchesOf({ model, training, rows, x, classes }: Problem): Batch[] {
  const { inputs, outputs } = model;
  const { batchSize } = training;
  return Array.from({ length: rows / batchSize }, (_, b) => {
    const first = b * batchSize;
    const labels = new Float32Array(batchSize * outputs);
    for (let r = 0; r < batchSize; r++) labels[r * outputs + (classes[first + r] ?? 0)] = 1;
    return { x: x.slice(first * inputs, (first + batchSize) * inputs), labels };
  });
}
