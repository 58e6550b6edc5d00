/** A multilayer perceptron: ReLU between layers, linear last; each layer `[inputs + 1, outputs]`, bias last. */
export interface Network {
  /** inputs, hidden…, outputs */
  readonly widths: readonly number[];
  readonly head: "softmax-cross-entropy" | "mean-squared-error";
}

export interface Examples {
  /** row-major `[rows, inputs]` */
  readonly x: ArrayLike<number>;
  /** a class index a row, or row-major values `[rows, outputs]` */
  readonly targets: ArrayLike<number>;
}

export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** offset of `weight[0,0]` */
  readonly at: number;
}

export function layersOf({ widths }: Network): Layer[] {
  const layers: Layer[] = [];
  let at = 0;
  for (let l = 0; l + 1 < widths.length; l++) {
    layers.push({ inputs: widths[l], outputs: widths[l + 1], at });
    at += (widths[l] + 1) * widths[l + 1];
  }
  return layers;
}

export function rowOf(values: ArrayLike<number>, row: number, cols: number): Float64Array {
  return Float64Array.from({ length: cols }, (_, c) => values[row * cols + c]);
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

/** What every layer gives for one row: `[x, relu(dense), …, outputs]`. */
export function forward(network: Network, parameters: ArrayLike<number>, x: Float64Array): Float64Array[] {
  const layers = layersOf(network);
  const activations = [x];
  layers.forEach((layer, l) => {
    const y = dense(activations[l], parameters, layer);
    activations.push(l === layers.length - 1 ? y : y.map((value) => Math.max(0, value)));
  });
  return activations;
}

/** Loss of one row and its derivative by the outputs. */
export interface RowLoss {
  readonly loss: number;
  readonly delta: Float64Array;
}

/** `-log softmax(z)[c]`, derivative `softmax(z) - onehot(c)`. */
export function crossEntropy(z: Float64Array, target: number): RowLoss {
  const largest = z.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  const delta = z.map((value, o) => Math.exp(value - logSum) - (o === target ? 1 : 0));
  return { loss: logSum - z[target], delta };
}

/** `sum_o (y - t)^2 / outputs`, derivative `2 (y - t) / outputs`. */
export function squaredError(y: Float64Array, target: Float64Array): RowLoss {
  const delta = y.map((value, o) => (2 * (value - target[o])) / y.length);
  return { loss: y.reduce((sum, value, o) => sum + (value - target[o]) ** 2, 0) / y.length, delta };
}

function rowLoss({ head }: Network, outputs: Float64Array, examples: Examples, row: number): RowLoss {
  return head === "softmax-cross-entropy"
    ? crossEntropy(outputs, examples.targets[row])
    : squaredError(outputs, rowOf(examples.targets, row, outputs.length));
}

/** Outputs of every listed row: `[rows.length, outputs]`. */
export function outputsOf(
  network: Network,
  parameters: ArrayLike<number>,
  x: ArrayLike<number>,
  rows: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(
    Array.from(
      rows,
      (row) => forward(network, parameters, rowOf(x, row, network.widths[0])).at(-1) ?? [],
    ).flatMap((outputs) => [...outputs]),
  );
}

/** Mean loss over the listed rows. */
export function meanLoss(
  network: Network,
  parameters: ArrayLike<number>,
  examples: Examples,
  rows: ArrayLike<number>,
): number {
  let sum = 0;
  for (const row of Array.from(rows)) {
    const activations = forward(network, parameters, rowOf(examples.x, row, network.widths[0]));
    sum += rowLoss(network, activations[activations.length - 1], examples, row).loss;
  }
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
  for (const row of Array.from(rows)) {
    const activations = forward(network, parameters, rowOf(examples.x, row, network.widths[0]));
    const { loss, delta } = rowLoss(network, activations[layers.length], examples, row);
    sum += loss;
    let down = delta.map((value) => value / rows.length);
    for (let l = layers.length - 1; l >= 0; l--) {
      addLayerGradient(gradient, layers[l], activations[l], down);
      down = backward(parameters, layers[l], down).map((value, i) => (activations[l][i] > 0 ? value : 0));
    }
  }
  return { loss: sum / rows.length, gradient };
}

/** `gradient[w[i,o]] += x[i] * delta[o]; gradient[b[o]] += delta[o]` */
export function addLayerGradient(
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
