import { AstroScaleError } from "./errors.ts";
import { type ModelSpec, parameterCount, parameterLayout } from "./model.ts";
import {
  decodeSafeTensors,
  encodeSafeTensors,
  type SafeTensor,
  type SafeTensorsFile,
} from "./safetensors.ts";

/**
 * A parameter vector (or a delta of one) as a safetensors file with tensors `layers.0.weight`
 * `[inputs, outputs]`, `layers.0.bias` `[outputs]`, and so on.
 *
 * @param parameters `[parameterCount(spec)]`
 * @throws {AstroScaleError} `shape_mismatch` when the length is not the model's
 */
export function encodeWeights(
  spec: ModelSpec,
  parameters: Float32Array<ArrayBuffer>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const count = parameterCount(spec);
  if (parameters.length !== count) {
    throw new AstroScaleError("shape_mismatch", `${parameters.length} parameters, the model has ${count}`);
  }
  const tensors = new Map<string, SafeTensor>();
  parameterLayout(spec).forEach(({ inputs, outputs, weightAt, biasAt }, l) => {
    tensors.set(`layers.${l}.weight`, {
      dtype: "F32",
      shape: [inputs, outputs],
      values: parameters.subarray(weightAt, biasAt),
    });
    tensors.set(`layers.${l}.bias`, {
      dtype: "F32",
      shape: [outputs],
      values: parameters.subarray(biasAt, biasAt + outputs),
    });
  });
  return encodeSafeTensors({ tensors, metadata });
}

/**
 * The flat parameter vector of decoded tensors.
 *
 * @returns `[parameterCount(spec)]`
 * @throws {AstroScaleError} `shape_mismatch` when a tensor is missing, extra, not F32 or of another shape
 */
export function flattenWeights(spec: ModelSpec, file: SafeTensorsFile): Float32Array<ArrayBuffer> {
  const layers = parameterLayout(spec);
  if (file.tensors.size !== layers.length * 2) {
    throw new AstroScaleError(
      "shape_mismatch",
      `${file.tensors.size} tensors, the model has ${layers.length * 2}`,
    );
  }
  const parameters = new Float32Array(parameterCount(spec));
  const place = (name: string, shape: readonly number[], at: number): void => {
    const tensor = file.tensors.get(name);
    if (tensor?.dtype !== "F32" || tensor.shape.join() !== shape.join()) {
      const found = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "missing";
      throw new AstroScaleError(
        "shape_mismatch",
        `tensor "${name}" is ${found}, wanted F32 [${shape.join(", ")}]`,
      );
    }
    parameters.set(tensor.values, at);
  };
  layers.forEach(({ inputs, outputs, weightAt, biasAt }, l) => {
    place(`layers.${l}.weight`, [inputs, outputs], weightAt);
    place(`layers.${l}.bias`, [outputs], biasAt);
  });
  return parameters;
}

/**
 * The flat parameter vector of a safetensors file.
 *
 * @returns `[parameterCount(spec)]`
 * @throws {AstroScaleError} `malformed_safetensors` or `shape_mismatch`
 */
export function decodeWeights(spec: ModelSpec, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return flattenWeights(spec, decodeSafeTensors(bytes));
}
