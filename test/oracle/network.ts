import { type Activation, activate, activationSlope } from "./activations.ts";
import { type Head, rowLoss, targetWidth } from "./heads.ts";

/** A multilayer perceptron, linear last; each layer `[inputs + 1, outputs]`, bias last. */
export interface Network extends Head {
  /** inputs, hidden…, outputs */
  readonly widths: readonly number[];
  /** Between layers; ReLU where left out. */
  readonly activation?: Activation;
  /**
   * Factor of the activation of unit `u` in hidden layer `l` (from 0) for the row at `place` among those listed:
   * a thinned network, as dropout makes it. 1 where left out.
   */
  readonly thinned?: (place: number, l: number, u: number) => number;
}

/** What is learned from. */
export interface Examples {
  /** row-major `[rows, inputs]` */
  readonly x: ArrayLike<number>;
  /** a class index a row, or row-major values `[rows, targets]` */
  readonly targets: ArrayLike<number>;
}

/** One layer and where its parameters begin. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** offset of `weight[0,0]` */
  readonly at: number;
}

/** Layers in order, each right behind the one before. */
export function layersOf({ widths }: Network): Layer[] {
  const layers: Layer[] = [];
  let at = 0;
  for (let l = 0; l + 1 < widths.length; l++) {
    layers.push({ inputs: widths[l], outputs: widths[l + 1], at });
    at += (widths[l] + 1) * widths[l + 1];
  }
  return layers;
}

/** One row of a row-major matrix, in float64. */
export function rowOf(values: ArrayLike<number>, row: number, cols: number): Float64Array {
  return Float64Array.from({ length: cols }, (_, c) => values[row * cols + c]);
}

/** The row's class, or its target values. */
export function targetOf({ widths, head }: Network, { targets }: Examples, row: number): Float64Array {
  return rowOf(targets, row, targetWidth(head, widths[widths.length - 1]));
}

/** `y[o] = sum_i x[i] * w[i,o] + b[o]` */
export function dense(x: Float64Array, parameters: ArrayLike<number>, layer: Layer): Float64Array {
  const { inputs, outputs, at } = layer;
  return Float64Array.from({ length: outputs }, (_, o) => {
    let y = parameters[at + inputs * outputs + o];
    for (let i = 0; i < inputs; i++) y += x[i] * parameters[at + i * outputs + o];
    return y;
  });
}

/** What one row gives in every layer. */
interface Pass {
  /** `[x, first hidden layer, …, outputs]` */
  readonly values: readonly Float64Array[];
  /** Derivative of `values[l]` by what came before its activation; of `values[0]` there is none. */
  readonly slopes: readonly Float64Array[];
}

function forward(network: Network, parameters: ArrayLike<number>, x: Float64Array, place: number): Pass {
  const { activation = "relu", thinned = () => 1 } = network;
  const layers = layersOf(network);
  const values = [x];
  const slopes = [new Float64Array(0)];
  layers.forEach((layer, l) => {
    const z = dense(values[l], parameters, layer);
    const last = l === layers.length - 1;
    values.push(last ? z : z.map((value, u) => activate(activation, value) * thinned(place, l, u)));
    slopes.push(z.map((value, u) => (last ? 1 : activationSlope(activation, value) * thinned(place, l, u))));
  });
  return { values, slopes };
}

/** Outputs of every listed row: `[rows.length, outputs]`. */
export function outputsOf(
  network: Network,
  parameters: ArrayLike<number>,
  x: ArrayLike<number>,
  rows: ArrayLike<number>,
): Float64Array {
  const outputs = Array.from(rows, (row, place) => {
    const { values } = forward(network, parameters, rowOf(x, row, network.widths[0]), place);
    return [...values[values.length - 1]];
  });
  return Float64Array.from(outputs.flat());
}

/** Mean loss over the listed rows. */
export function meanLoss(
  network: Network,
  parameters: ArrayLike<number>,
  examples: Examples,
  rows: ArrayLike<number>,
): number {
  let sum = 0;
  Array.from(rows).forEach((row, place) => {
    const { values } = forward(network, parameters, rowOf(examples.x, row, network.widths[0]), place);
    sum += rowLoss(network, values[values.length - 1], targetOf(network, examples, row)).loss;
  });
  return sum / rows.length;
}

/** Mean loss over the listed rows and its derivative by every parameter, by backpropagation. */
export function lossGradient(
  network: Network,
  parameters: ArrayLike<number>,
  examples: Examples,
  rows: ArrayLike<number>,
): { loss: number; gradient: Float64Array } {
  const layers = layersOf(network);
  const gradient = new Float64Array(parameters.length);
  let sum = 0;
  Array.from(rows).forEach((row, place) => {
    const { values, slopes } = forward(network, parameters, rowOf(examples.x, row, network.widths[0]), place);
    const { loss, delta } = rowLoss(network, values[layers.length], targetOf(network, examples, row));
    sum += loss;
    let down = delta.map((value) => value / rows.length);
    for (let l = layers.length - 1; l >= 0; l--) {
      addLayerGradient(gradient, layers[l], values[l], down);
      if (l > 0) down = backward(parameters, layers[l], down).map((value, i) => value * slopes[l][i]);
    }
  });
  return { loss: sum / rows.length, gradient };
}

/** `gradient[w[i,o]] += x[i] * delta[o]; gradient[b[o]] += delta[o]` */
function addLayerGradient(
  gradient: Float64Array,
  { inputs, outputs, at }: Layer,
  x: Float64Array,
  delta: Float64Array,
): void {
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) gradient[at + i * outputs + o] += x[i] * delta[o];
    gradient[at + inputs * outputs + o] += delta[o];
  }
}

/** `dx[i] = sum_o w[i,o] * delta[o]` */
export function backward(parameters: ArrayLike<number>, layer: Layer, delta: Float64Array): Float64Array {
  const { inputs, outputs, at } = layer;
  return Float64Array.from({ length: inputs }, (_, i) => {
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += parameters[at + i * outputs + o] * delta[o];
    return sum;
  });
}
