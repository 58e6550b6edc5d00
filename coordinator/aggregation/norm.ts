import { AstroScaleError } from "../../protocol/errors.ts";

/**
 * Euclidean norm `sqrt(sum_i delta_i^2)`, summed in float64: a float32 squared neither overflows nor
 * underflows there, so nothing is scaled. The relative error is at most `length * 2^-53`.
 *
 * @param delta `[parameterCount]`
 * @throws {AstroScaleError} `non_finite` when a value is NaN or infinite: a NaN norm exceeds no bound
 */
export function euclideanNorm(delta: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < delta.length; i++) {
    const value = delta[i] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      throw new AstroScaleError("non_finite", `delta[${i}] is ${value}, wanted finite values`);
    }
    sum += value * value;
  }
  return Math.sqrt(sum);
}
