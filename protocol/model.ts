import * as z from "zod";
import { randomStream, STREAMS } from "./random.ts";

/**
 * What the outputs `y` mean, and so the loss of a row with targets `t`:
 *
 * - `softmax-cross-entropy`: logits; `-c_k log softmax(y)_k` for the row's class `k` of weight `c_k`
 * - `mean-squared-error`: values; mean over targets of `e^2`, `e = y - t`
 * - `huber`: values; mean over targets of `|e| <= delta ? e^2 / 2 : delta (|e| - delta / 2)`
 * - `gaussian`: means `m`, then as many log-variances `s`; mean over targets of `(s + (m - t)^2 exp(-s)) / 2`,
 *   the negative log-likelihood without its constant. `s` counts as at least -14 and at most 14.
 *
 * Sources: Huber 1964; Nix and Weigend 1994, "Estimating the mean and variance of the target distribution".
 */
export const Head = z.enum(["softmax-cross-entropy", "mean-squared-error", "huber", "gaussian"]);
export type Head = z.infer<typeof Head>;

/**
 * What hidden layers apply: `max(0, z)`; `z / 2 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 z^3)))`; `tanh(z)`; `z`.
 *
 * Source: GELU in its tanh form, Hendrycks and Gimpel 2016, arXiv:1606.08415.
 */
export const Activation = z.enum(["relu", "gelu", "tanh", "identity"]);
export type Activation = z.infer<typeof Activation>;

/**
 * A multilayer perceptron: `inputs -> hidden[0] -> … -> outputs`, the activation between layers, linear last.
 * Without hidden layers it is linear or logistic regression.
 */
export const ModelSpec = z
  .strictObject({
    inputs: z.int().min(1).max(4096),
    hidden: z.array(z.int().min(1).max(2048)).max(8),
    outputs: z.int().min(1).max(2048),
    activation: Activation,
    head: Head,
  })
  .check(({ value, issues }) => {
    if (value.head !== "gaussian" || value.outputs % 2 === 0) return;
    const message = `${value.outputs} outputs, head "gaussian" needs a mean and a log-variance for each target`;
    issues.push({ code: "custom", input: value, path: ["outputs"], message });
  });
export type ModelSpec = z.infer<typeof ModelSpec>;

/** Target values of one row: a class, or one value for each output that is not a log-variance. */
export function targetsPerRow({ head, outputs }: Pick<ModelSpec, "head" | "outputs">): number {
  if (head === "softmax-cross-entropy") return 1;
  return head === "gaussian" ? outputs / 2 : outputs;
}

/** Where one layer lies in the flat parameter vector: weight rows first, the bias as the row after them. */
export interface LayerLayout {
  readonly inputs: number;
  readonly outputs: number;
  /** Offset of `weight[0,0]`, in values; the weight is row-major `[inputs, outputs]`. */
  readonly weightAt: number;
  /** Offset of `bias[0]`, in values: `weightAt + inputs * outputs`. */
  readonly biasAt: number;
}

/** Layers in order; offsets are contiguous, so a layer reads as one `[inputs + 1, outputs]` matrix. */
export function parameterLayout(spec: ModelSpec): readonly LayerLayout[] {
  const widths = [spec.inputs, ...spec.hidden, spec.outputs];
  const layers: LayerLayout[] = [];
  let at = 0;
  for (let l = 0; l + 1 < widths.length; l++) {
    const inputs = widths[l] ?? 0;
    const outputs = widths[l + 1] ?? 0;
    layers.push({ inputs, outputs, weightAt: at, biasAt: at + inputs * outputs });
    at += (inputs + 1) * outputs;
  }
  return layers;
}

/** Length of the flat parameter vector: `sum_l (inputs_l + 1) * outputs_l`. */
export function parameterCount(spec: ModelSpec): number {
  return parameterLayout(spec).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
}

/**
 * Initial parameters: weights uniform in `±sqrt(6 / inputs)` (He) before a ReLU or GELU, else in
 * `±sqrt(6 / (inputs + outputs))` (Glorot), as in the last layer always; biases 0. The same bits everywhere:
 * only additions, products and one square root, all exactly rounded.
 *
 * @returns `[parameterCount]`
 * Source: He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010.
 */
export function initialise(spec: ModelSpec, seed: number): Float32Array<ArrayBuffer> {
  const parameters = new Float32Array(parameterCount(spec));
  const layers = parameterLayout(spec);
  const halves = spec.activation === "relu" || spec.activation === "gelu";
  layers.forEach(({ inputs, outputs, weightAt, biasAt }, l) => {
    const next = randomStream(seed, STREAMS.initialise, [l]);
    const he = halves && l < layers.length - 1;
    const limit = Math.sqrt(6 / (he ? inputs : inputs + outputs));
    for (let i = weightAt; i < biasAt; i++) parameters[i] = limit * ((next() / 2 ** 32) * 2 - 1);
  });
  return parameters;
}
