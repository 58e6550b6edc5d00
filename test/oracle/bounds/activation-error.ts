import {
  type Activation,
  activate,
  activationSlope,
  geluArgument,
  geluArgumentSlope,
} from "../activations.ts";
import { roundings, ULP } from "./rounding.ts";

/**
 * Absolute error that a backend's tanh may have. From an exponential as WGSL allows it, `1 - 2 / (exp(2|z|) + 1)`
 * errs by at most `5 * 2^-23`: at 0 by 1.5 units from the exponential, 1 from the sum and 2.5 from the quotient,
 * elsewhere by less. WGSL's own tanh may err by 1e-5, ten times as much: a backend must do better.
 */
const TANH_ERROR = 2 ** -20;

/** No activation's slope changes faster than this (GELU's second derivative at its steepest is 0.80, tanh's 0.77). */
const CURVATURE = 1;

/** Largest error of one value and of its derivative. */
export interface ActivationError {
  readonly value: number;
  readonly slope: number;
}

/** Errors of `activate(z)` and its slope where `z` itself errs by `error`. */
export function activationError(activation: Activation, z: number, error: number): ActivationError {
  const slope = Math.abs(activationSlope(activation, z));
  const carried = slope * error + (CURVATURE / 2) * error ** 2;
  switch (activation) {
    case "identity":
      return { value: error, slope: 0 };
    case "relu":
      // Within its error of 0, the slope may be either.
      return Math.abs(z) <= error ? { value: error, slope: 1 } : { value: slope * error, slope: 0 };
    case "tanh": {
      const value = carried + TANH_ERROR;
      // `1 - t^2` of the value that was found.
      return { value, slope: (2 * Math.abs(Math.tanh(z)) + value) * value + roundings(2) };
    }
    case "gelu": {
      const u = geluArgument(z);
      const t = Math.tanh(u);
      // Eight roundings lie behind u, its constants among them.
      const ofTanh = TANH_ERROR + roundings(8) * Math.abs(u) * (1 - t ** 2);
      const value = carried + (Math.abs(z) / 2) * ofTanh + roundings(3) * Math.abs(activate("gelu", z));
      const steepness = 1 / 2 + Math.abs(z * t) * geluArgumentSlope(z);
      return { value, slope: CURVATURE * error + steepness * ofTanh + 8 * ULP * (1 + slope) };
    }
  }
}
