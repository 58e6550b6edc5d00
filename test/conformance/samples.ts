import type { LocalStart, Targets } from "../../client/backend/backend.ts";
import { type ModelSpec, parameterCount, parameterLayout, targetsPerRow } from "../../protocol/model.ts";
import { randomStream } from "../../protocol/random.ts";
import type { Examples, Network } from "../oracle/network.ts";

const STREAM = 1000; // apart from the product's own streams

/** Seeded values, uniform in `[-scale, scale)`. */
export function uniform(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = randomStream(seed, STREAM);
  return Float32Array.from({ length }, () => scale * ((next() / 2 ** 32) * 2 - 1));
}

/** Seeded whole numbers from 0, below `end`. */
export function wholes(length: number, end: number, seed: number): Uint32Array<ArrayBuffer> {
  const next = randomStream(seed, STREAM + 1);
  return Uint32Array.from({ length }, () => next() % end);
}

/** `0 … length - 1` */
export function inOrder(length: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length }, (_, i) => i);
}

/** Where a round starts from `parameters`; terms that are left out are off. */
export function startAt(
  parameters: Float32Array<ArrayBuffer>,
  terms: Partial<Omit<LocalStart, "parameters">> = {},
): LocalStart {
  return { proximalMu: 0, correction: null, dropoutSeed: 0, ...terms, parameters };
}

/** The same learning rate for every step of an epoch over `length` rows. */
export function constantRates(length: number, batchSize: number, rate: number): Float32Array<ArrayBuffer> {
  return new Float32Array(Math.ceil(length / batchSize)).fill(rate);
}

/** A model, seeded data for it, and the same for the oracle. */
export interface Problem {
  readonly model: ModelSpec;
  readonly network: Network;
  readonly rows: number;
  readonly x: Float32Array<ArrayBuffer>;
  readonly targets: Targets;
  readonly examples: Examples;
  readonly parameters: Float32Array<ArrayBuffer>;
}

/** Layer widths `[inputs, hidden…, outputs]`, head and rows; every value follows from the seed. */
export interface ProblemShape {
  readonly widths: readonly number[];
  readonly head: ModelSpec["head"];
  readonly activation?: ModelSpec["activation"];
  readonly rows: number;
  readonly seed?: number;
}

/** Weights uniform in `±sqrt(3 / inputs)`, so that activations keep their size; biases in ±0.5; `|x| <= 2`. */
export function problem({ widths, head, activation = "relu", rows, seed = 1 }: ProblemShape): Problem {
  const [inputs = 1] = widths;
  const outputs = widths.at(-1) ?? 1;
  const model: ModelSpec = { inputs, hidden: widths.slice(1, -1), outputs, activation, head };
  const parameters = uniform(parameterCount(model), seed, 0.5);
  for (const layer of parameterLayout(model)) {
    const scale = 2 * Math.sqrt(3 / layer.inputs);
    for (let i = layer.weightAt; i < layer.biasAt; i++) parameters[i] = (parameters[i] ?? 0) * scale;
  }
  const x = uniform(rows * inputs, seed + 1, 2);
  const targets: Targets =
    head === "softmax-cross-entropy"
      ? { kind: "class", classes: wholes(rows, outputs, seed + 2) }
      : { kind: "value", values: uniform(rows * targetsPerRow(model), seed + 3, 2) };
  const examples = { x, targets: targets.kind === "class" ? targets.classes : targets.values };
  return { model, network: { widths, head, activation }, rows, x, targets, examples, parameters };
}
