/** What hidden layers apply. */
export type Activation = "relu" | "gelu" | "tanh" | "identity";

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** The argument of GELU's tanh: `sqrt(2 / pi) * (z + 0.044715 z^3)`. */
export function geluArgument(z: number): number {
  return SQRT_2_OVER_PI * (z + CUBIC * z ** 3);
}

/** Derivative of `geluArgument`. */
export function geluArgumentSlope(z: number): number {
  return SQRT_2_OVER_PI * (1 + 3 * CUBIC * z ** 2);
}

/** `1 - tanh(u)^2`, without its cancellation. */
function sechSquared(u: number): number {
  return 1 / Math.cosh(u) ** 2;
}

/**
 * `max(0, z)`; `z / 2 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 z^3)))`; `tanh(z)`; `z`.
 *
 * Source: GELU in its tanh form, Hendrycks and Gimpel 2016, arXiv:1606.08415.
 */
export function activate(activation: Activation, z: number): number {
  switch (activation) {
    case "relu":
      return Math.max(0, z);
    case "gelu":
      return (z / 2) * (1 + Math.tanh(geluArgument(z)));
    case "tanh":
      return Math.tanh(z);
    case "identity":
      return z;
  }
}

/** Derivative of `activate` by `z`; ReLU's at 0 is 0. */
export function activationSlope(activation: Activation, z: number): number {
  switch (activation) {
    case "relu":
      return z > 0 ? 1 : 0;
    case "gelu": {
      const u = geluArgument(z);
      return (1 + Math.tanh(u)) / 2 + (z / 2) * sechSquared(u) * geluArgumentSlope(z);
    }
    case "tanh":
      return sechSquared(z);
    case "identity":
      return 1;
  }
}
