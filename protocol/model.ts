import * as z from "zod";
import { randomStream, STREAMS } from "./random.ts";

/** What the outputs mean and how they are scored; fixes the loss. */
export const Head = z.enum(["softmax-cross-entropy", "mean-squared-error"]);
export type Head = z.infer<typeof Head>;

/** A multilayer perceptron: `inputs -> hidden[0] -> … -> outputs`, ReLU between layers, linear last. */
export const ModelSpec = z.strictObject({
  inputs: z.int().min(1).max(4096),
  hidden: z.array(z.int().min(1).max(2048)).max(8),
  outputs: z.int().min(1).max(2048),
  activation: z.literal("relu"),
  head: Head,
});
export type ModelSpec = z.infer<typeof ModelSpec>;

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
 * Initial parameters: weights uniform in `±sqrt(6 / inputs)` (He, for ReLU), the last layer in
 * `±sqrt(6 / (inputs + outputs))` (Glorot, for a linear output); biases 0. The same bits everywhere:
 * only additions, products and one square root, all exactly rounded.
 *
 * @returns `[parameterCount]`
 * Source: He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010.
 */
export function initialise(spec: ModelSpec, seed: number): Float32Array<ArrayBuffer> {
  const parameters = new Float32Array(parameterCount(spec));
  const layers = parameterLayout(spec);
  layers.forEach(({ inputs, outputs, weightAt, biasAt }, l) => {
    const next = randomStream(seed, STREAMS.initialise, [l]);
    const limit = Math.sqrt(6 / (l === layers.length - 1 ? inputs + outputs : inputs));
    for (let i = weightAt; i < biasAt; i++) parameters[i] = limit * ((next() / 2 ** 32) * 2 - 1);
  });
  return parameters;
}
