import {
  addLayerGradient,
  backward,
  dense,
  type Examples,
  layersOf,
  type Network,
  rowOf,
} from "./network.ts";

const UNIT = 2 ** -24; // unit roundoff of float32
const SECOND_ORDER = 2; // covers the products of roundings that the first-order bounds leave out

/** Largest errors float32 arithmetic in any order may make, entry by entry. */
export interface ErrorBounds {
  /** `[rows, outputs]` */
  readonly outputs: Float64Array;
  readonly loss: number;
  /** `[parameterCount]` */
  readonly gradient: Float64Array;
}

/**
 * First-order bounds from sums of magnitudes: a dot product of `n` terms errs by at most
 * `(n + 1) u sum |a||b|`, `u = 2^-24`, whatever the order, and the factors add along the network.
 * `exp` is allowed `3 + 2|x|` units in the last place, as WGSL allows it.
 *
 * The bounds hold where no pre-activation lies within its own error of zero (there ReLU's derivative jumps).
 *
 * Source: Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1.
 */
export function errorBounds(
  network: Network,
  parameters: ArrayLike<number>,
  examples: Examples,
  rows: ArrayLike<number>,
): ErrorBounds {
  const layers = layersOf(network);
  const magnitudes = Float64Array.from(parameters, Math.abs);
  const upTo = forwardFactors(network);
  const outputFactor = upTo[layers.length];
  const gradient = new Float64Array(parameters.length);
  const outputs: number[] = [];
  let head = { factor: 0, loss: 0 };
  for (const row of Array.from(rows)) {
    const activations: Float64Array[] = [rowOf(examples.x, row, network.widths[0]).map(Math.abs)];
    layers.forEach((layer, l) => activations.push(dense(activations[l], magnitudes, layer)));
    const y = activations[layers.length];
    outputs.push(...y.map((value) => SECOND_ORDER * outputFactor * UNIT * value));
    const found = headBound(network, { y, outputFactor, examples, row });
    head = { factor: Math.max(head.factor, found.factor), loss: Math.max(head.loss, found.loss) };
    let delta: Float64Array = found.delta.map((value) => value / rows.length);
    for (let l = layers.length - 1; l >= 0; l--) {
      addLayerGradient(gradient, layers[l], activations[l], delta);
      delta = backward(magnitudes, layers[l], delta);
    }
  }
  let factor = head.factor + rows.length + 2;
  for (let l = layers.length - 1; l >= 0; l--) {
    const { at, inputs, outputs: width } = layers[l];
    const end = at + (inputs + 1) * width;
    for (let i = at; i < end; i++) gradient[i] *= SECOND_ORDER * UNIT * (factor + upTo[l]);
    factor += width + 1;
  }
  return { outputs: Float64Array.from(outputs), loss: SECOND_ORDER * head.loss, gradient };
}

/** Roundings behind the activations of every layer, in units of `u` times their magnitude. */
function forwardFactors(network: Network): number[] {
  const factors = [0];
  for (const { inputs } of layersOf(network)) factors.push((factors.at(-1) ?? 0) + inputs + 2);
  return factors;
}

interface HeadInput {
  readonly y: Float64Array;
  readonly outputFactor: number;
  readonly examples: Examples;
  readonly row: number;
}

/** Magnitude of one row's derivative by its outputs, its error as a factor of `u`, and the loss's error. */
function headBound(
  { head }: Network,
  { y, outputFactor, examples, row }: HeadInput,
): { delta: Float64Array<ArrayBuffer>; factor: number; loss: number } {
  const largest = y.reduce((a, b) => Math.max(a, b), 0);
  if (head === "softmax-cross-entropy") {
    // The softmax moves relatively by twice the largest move of a logit.
    const factor = 2 * outputFactor * largest + y.length + 2 * (3 + 4 * largest) + 10;
    const delta = Float64Array.from(y, (_, o) => (o === examples.targets[row] ? 2 : 1));
    return { delta, factor, loss: factor * UNIT * (1 + largest + Math.log(y.length)) };
  }
  const target = rowOf(examples.targets, row, y.length);
  const delta = Float64Array.from(y, (value, o) => (2 * (value + Math.abs(target[o]))) / y.length);
  const factor = outputFactor + 4;
  const sumOfSquares = delta.reduce((sum, value) => sum + (value * y.length) ** 2 / 2, 0) / y.length;
  return { delta, factor, loss: (factor + y.length) * UNIT * sumOfSquares };
}
