import { type Examples, lossGradient, type Network } from "./network.ts";

export type OptimizerRule =
  | { readonly kind: "sgd" }
  | { readonly kind: "momentum"; readonly momentum: number }
  | { readonly kind: "adam"; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/**
 * A function that takes one step in place, keeping its own state.
 *
 * Source: momentum as Sutskever et al. 2013 without the Nesterov point; Kingma and Ba 2015,
 * arXiv:1412.6980, algorithm 1.
 */
export function stepper(
  rule: OptimizerRule,
  learningRate: number,
  parameterCount: number,
): (parameters: Float64Array, gradient: Float64Array) => void {
  const first = new Float64Array(parameterCount);
  const second = new Float64Array(parameterCount);
  let t = 0;
  return (parameters, gradient) => {
    t += 1;
    for (let i = 0; i < parameterCount; i++) {
      const g = gradient[i];
      if (rule.kind === "sgd") {
        parameters[i] -= learningRate * g;
      } else if (rule.kind === "momentum") {
        first[i] = rule.momentum * first[i] + g;
        parameters[i] -= learningRate * first[i];
      } else {
        first[i] = rule.beta1 * first[i] + (1 - rule.beta1) * g;
        second[i] = rule.beta2 * second[i] + (1 - rule.beta2) * g ** 2;
        const m = first[i] / (1 - rule.beta1 ** t);
        const v = second[i] / (1 - rule.beta2 ** t);
        parameters[i] -= (learningRate * m) / (Math.sqrt(v) + rule.epsilon);
      }
    }
  };
}

export interface EpochInput {
  readonly network: Network;
  readonly examples: Examples;
  readonly order: ArrayLike<number>;
  readonly batchSize: number;
  readonly step: (parameters: Float64Array, gradient: Float64Array) => void;
}

/** One local epoch in place; gives the mean over rows of the loss before each row's step. */
export function trainEpoch(parameters: Float64Array, input: EpochInput): number {
  const { network, examples, batchSize, step } = input;
  const order = Array.from(input.order);
  let sum = 0;
  for (let at = 0; at < order.length; at += batchSize) {
    const batch = order.slice(at, at + batchSize);
    const { loss, gradient } = lossGradient(network, parameters, examples, batch);
    sum += loss * batch.length;
    step(parameters, gradient);
  }
  return sum / order.length;
}
