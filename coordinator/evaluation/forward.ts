import { type ModelSpec, parameterLayout } from "../../protocol/model.ts";

/** Multiply-adds between two offers to stop: some 0.1 ms, far below a slice. */
const STEP = 65_536;

/** A model that runs on one row at a time. */
export interface ForwardPass {
  /**
   * `h_0 = x; h_{l+1} = relu(h_l W_l + b_l)`, the last layer without `relu`. Layers are stored in float32 and
   * summed in float64 from the bias on. NaN passes `relu`. Yields between multiply-adds.
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
        if (l + 1 < layers.length) relu(sum);
        stored.set(sum);
        h = stored;
      }
      return h;
    },
  };
}

/** Keeps NaN, which `value > 0 ? value : 0` would hide. */
function relu(values: Float64Array): void {
  for (let o = 0; o < values.length; o++) values[o] = Math.max(0, values[o] ?? 0);
}
