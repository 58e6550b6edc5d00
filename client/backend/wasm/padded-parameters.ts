import { type ModelSpec, parameterLayout } from "../../../protocol/model.ts";
import { roundUp8 } from "../../../wasm/records.ts";

/** Where one layer lies among padded parameters, in values. */
export interface PaddedLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Of `weight[0,0]`, `[roundUp8(inputs), rowLength]`. */
  readonly weightAt: number;
  readonly biasAt: number;
  /** `roundUp8(outputs)` */
  readonly rowLength: number;
  /** Where the layer lies in the flat vector of `parameterLayout`. */
  readonly flatAt: number;
}

/** The model's layers with every weight padded by zeros to multiples of 8 rows and columns, and the whole length. */
export function paddedLayout(spec: ModelSpec): {
  readonly layers: readonly PaddedLayer[];
  readonly length: number;
} {
  const layers: PaddedLayer[] = [];
  let at = 0;
  for (const { inputs, outputs, weightAt: flatAt } of parameterLayout(spec)) {
    const rowLength = roundUp8(outputs);
    const biasAt = at + roundUp8(inputs) * rowLength;
    layers.push({ inputs, outputs, weightAt: at, biasAt, rowLength, flatAt });
    at = biasAt + rowLength;
  }
  return { layers, length: at };
}

/** Copies a flat parameter vector into a padded one; the padding is left as it is. */
export function pad(
  layers: readonly PaddedLayer[],
  flat: Float32Array<ArrayBuffer>,
  padded: Float32Array,
): void {
  for (const { outputs, at, flatAt } of rowsOf(layers)) {
    padded.set(flat.subarray(flatAt, flatAt + outputs), at);
  }
}

/** Copies a padded parameter vector into a flat one. */
export function unpad(
  layers: readonly PaddedLayer[],
  padded: Float32Array,
  flat: Float32Array<ArrayBuffer>,
): void {
  for (const { outputs, at, flatAt } of rowsOf(layers)) {
    flat.set(padded.subarray(at, at + outputs), flatAt);
  }
}

/** Every weight row and bias, where it lies padded and flat. */
function* rowsOf(
  layers: readonly PaddedLayer[],
): Generator<{ readonly outputs: number; readonly at: number; readonly flatAt: number }> {
  for (const { inputs, outputs, weightAt, biasAt, rowLength, flatAt } of layers) {
    for (let i = 0; i < inputs; i++) {
      yield { outputs, at: weightAt + i * rowLength, flatAt: flatAt + i * outputs };
    }
    yield { outputs, at: biasAt, flatAt: flatAt + inputs * outputs };
  }
}
