import { activate, activationSlope } from "../activations.ts";
import { rowLoss } from "../heads.ts";
import {
  backward,
  dense,
  type Examples,
  type Layer,
  layersOf,
  type Network,
  rowOf,
  targetOf,
} from "../network.ts";
import { activationError } from "./activation-error.ts";
import { headError } from "./head-error.ts";
import { type Estimate, roundings } from "./rounding.ts";

/** Partial sums of slices and lanes that a gradient's sum may be put together from. */
const SLICES = 32;

/** Largest errors float32 arithmetic in any order may make, entry by entry. */
export interface ErrorBounds {
  /** `[rows, outputs]` */
  readonly outputs: Float64Array;
  readonly loss: number;
  /** `[parameterCount]` */
  readonly gradient: Float64Array;
}

/**
 * Running bounds beside the exact values: a dot product of `n` terms errs by `(n + 1) u sum |a||b|`, whatever
 * the order, and carries on the errors of its factors; an activation or a head carries them on by its slope
 * and adds its own. Where a pre-activation lies within its error of a kink, either slope is allowed.
 *
 * Source: Higham 2002, "Accuracy and Stability of Numerical Algorithms", sections 3.1 and 3.3.
 */
export function errorBounds(
  network: Network,
  parameters: ArrayLike<number>,
  examples: Examples,
  rows: ArrayLike<number>,
): ErrorBounds {
  const layers = layersOf(network);
  const magnitudes = Float64Array.from(parameters, Math.abs);
  const carried = new Float64Array(parameters.length);
  const summed = new Float64Array(parameters.length);
  const outputs: number[] = [];
  let loss = 0;
  for (const row of Array.from(rows)) {
    const x = rowOf(examples.x, row, network.widths[0]);
    const { values, slopes } = forwardEstimates(network, { parameters, magnitudes }, x);
    const y = values[layers.length];
    outputs.push(...y.error);
    const target = targetOf(network, examples, row);
    const exact = rowLoss(network, y.value, target);
    const head = headError(network, y, target);
    loss += (head.loss + roundings(rows.length + SLICES) * Math.abs(exact.loss)) / rows.length;
    let down: Estimate = {
      value: exact.delta.map((value) => value / rows.length),
      error: head.delta.map((error, o) => (error + roundings(3) * Math.abs(exact.delta[o])) / rows.length),
    };
    for (let l = layers.length - 1; l >= 0; l--) {
      addOuterProduct(layers[l], { x: values[l], down }, { carried, summed });
      if (l > 0) down = backwardEstimate({ parameters, magnitudes }, layers[l], { down, slope: slopes[l] });
    }
  }
  const ofSums = roundings(rows.length + SLICES);
  return {
    outputs: Float64Array.from(outputs),
    loss,
    gradient: carried.map((value, i) => value + ofSums * (value + summed[i])),
  };
}

interface Weights {
  readonly parameters: ArrayLike<number>;
  /** `|parameters|` */
  readonly magnitudes: Float64Array;
}

function forwardEstimates(network: Network, { parameters, magnitudes }: Weights, x: Float64Array) {
  const { activation = "relu" } = network;
  const layers = layersOf(network);
  const values: Estimate[] = [{ value: x, error: new Float64Array(x.length) }];
  const slopes: Estimate[] = [{ value: new Float64Array(0), error: new Float64Array(0) }];
  layers.forEach((layer, l) => {
    const z = dense(values[l].value, parameters, layer);
    const errors = denseError(magnitudes, layer, values[l]);
    if (l === layers.length - 1) {
      values.push({ value: z, error: errors });
      return;
    }
    const found = Array.from(z, (value, u) => activationError(activation, value, errors[u]));
    values.push({
      value: z.map((value) => activate(activation, value)),
      error: Float64Array.from(found, ({ value }) => value),
    });
    slopes.push({
      value: z.map((value) => activationSlope(activation, value)),
      error: Float64Array.from(found, ({ slope }) => slope),
    });
  });
  return { values, slopes };
}

/** `sum_i |w| E_x + u (n + 2) (sum_i (|x| + E_x) |w| + |b|)` */
function denseError(magnitudes: Float64Array, layer: Layer, x: Estimate): Float64Array {
  const { inputs, outputs, at } = layer;
  const largest = x.value.map((value, i) => Math.abs(value) + x.error[i]);
  const sums = dense(largest, magnitudes, layer);
  return sums.map((sum, o) => {
    let carried = 0;
    for (let i = 0; i < inputs; i++) carried += x.error[i] * magnitudes[at + i * outputs + o];
    return carried + roundings(inputs + 2) * sum;
  });
}

/** The derivative by a layer's inputs, times the slope of the activation that gave them. */
function backwardEstimate(
  { parameters, magnitudes }: Weights,
  layer: Layer,
  { down, slope }: { readonly down: Estimate; readonly slope: Estimate },
): Estimate {
  const value = backward(parameters, layer, down.value);
  const sums = backward(
    magnitudes,
    layer,
    down.value.map((d, o) => Math.abs(d) + down.error[o]),
  );
  const carried = backward(magnitudes, layer, down.error);
  const error = carried.map((e, i) => e + roundings(layer.outputs + 1) * sums[i]);
  return {
    value: value.map((v, i) => v * slope.value[i]),
    error: error.map((e, i) => {
      const steepest = Math.abs(slope.value[i]) + slope.error[i];
      return (
        (e * steepest + Math.abs(value[i]) * slope.error[i]) * (1 + roundings(1)) +
        roundings(1) * Math.abs(value[i] * slope.value[i])
      );
    }),
  };
}

/** Adds one row's `x^T d`: what its factors' errors carry on, and the sum of magnitudes. */
function addOuterProduct(
  { inputs, outputs, at }: Layer,
  { x, down }: { readonly x: Estimate; readonly down: Estimate },
  { carried, summed }: { readonly carried: Float64Array; readonly summed: Float64Array },
): void {
  for (let o = 0; o < outputs; o++) {
    const d = Math.abs(down.value[o]);
    const e = down.error[o];
    for (let i = 0; i < inputs; i++) {
      const magnitude = Math.abs(x.value[i]);
      carried[at + i * outputs + o] += (magnitude + x.error[i]) * e + x.error[i] * d;
      summed[at + i * outputs + o] += magnitude * d;
    }
    carried[at + inputs * outputs + o] += e;
    summed[at + inputs * outputs + o] += d;
  }
}
