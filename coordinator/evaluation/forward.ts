import { type Activation, type ModelSpec, parameterLayout } from "../../protocol/model.ts";

/** Multiply-adds between two offers to stop: some 0.1 ms, far below a slice. */
const STEP = 65_536;

/** A model that runs on one row at a time. */
export interface ForwardPass {
  /**
   * `h_0 = x; h_{l+1} = a(h_l W_l + b_l)` with the model's activation `a`, the last layer without. Layers are
   * stored in float32; sums, from the bias on, and `a` are float64. NaN passes `a`. Yields between multiply-adds.
   *
   * @param x `[inputs]`
   * @returns `[outputs]`, overwritten by the next row
   */
  outputs(x: Float32Array): Generator<void, Float32Array, void>;
}

/**
 * The forward pass of `spec`.
 *
 * @param parameters `[parameterCount(spec)]`, not copied
 */
export function forwardPass(spec: ModelSpec, parameters: Float32Array): ForwardPass {
  const layers = parameterLayout(spec).map((layer) => ({
    ...layer,
    sum: new Float64Array(layer.outputs),
    stored: new Float32Array(layer.outputs),
  }));
  const activation = ACTIVATIONS[spec.activation];
  const activate = (sum: Float64Array, stored: Float32Array): void => {
    for (let o = 0; o < sum.length; o++) stored[o] = activation(sum[o] ?? 0);
  };
  let untilYield = STEP;

  /** `sum += factor * W[i,:]` with the weight's row at offset `at`. */
  const addRow = (sum: Float64Array, factor: number, at: number): void => {
    // Half of what relu gives; finite weights add nothing then, and published models are finite.
    if (factor === 0) return;
    for (let o = 0; o < sum.length; o++) sum[o] = (sum[o] ?? 0) + factor * (parameters[at + o] ?? 0);
  };

  return {
    *outputs(x) {
      let h = x;
      for (const [l, { inputs, outputs, weightAt, biasAt, sum, stored }] of layers.entries()) {
        sum.set(parameters.subarray(biasAt, biasAt + outputs));
        for (let i = 0; i < inputs; i++) {
          addRow(sum, h[i] ?? 0, weightAt + i * outputs);
          untilYield -= outputs;
          if (untilYield > 0) continue;
          untilYield = STEP;
          yield;
        }
        if (l + 1 < layers.length) activate(sum, stored);
        else stored.set(sum);
        h = stored;
      }
      return h;
    },
  };
}

/** The formulae of `Activation`. */
const ACTIVATIONS: Readonly<Record<Activation, (z: number) => number>> = {
  // Keeps NaN, which `z > 0 ? z : 0` would hide.
  relu: (z) => Math.max(0, z),
  gelu: (z) => (z / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
  tanh: Math.tanh,
  identity: (z) => z,
};
