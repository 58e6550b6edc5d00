interface Moments {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** An optimiser and its constants. */
export type OptimizerRule =
  | { readonly kind: "sgd" }
  | { readonly kind: "momentum" | "nesterov"; readonly momentum: number }
  | ({ readonly kind: "adam" } & Moments)
  | ({ readonly kind: "adamw"; readonly weightDecay: number } & Moments);

/** Moves the parameters in place by one step of gradient `g` at a learning rate. */
export type Step = (parameters: Float64Array, g: Float64Array, rate: number) => void;

/**
 * One step after another, keeping its own state.
 *
 * Sources: momentum and Nesterov's as Sutskever et al. 2013, the latter with the gradient at the point itself;
 * Adam, Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; AdamW, Loshchilov and Hutter 2019,
 * arXiv:1711.05101, algorithm 2.
 */
export function steps(rule: OptimizerRule, parameterCount: number): Step {
  switch (rule.kind) {
    case "sgd":
      return (parameters, g, rate) => g.forEach((value, i) => (parameters[i] -= rate * value));
    case "momentum":
    case "nesterov":
      return momentumSteps(rule.momentum, rule.kind === "nesterov", parameterCount);
    case "adam":
      return adamSteps(rule, 0, parameterCount);
    case "adamw":
      return adamSteps(rule, rule.weightDecay, parameterCount);
  }
}

function momentumSteps(momentum: number, looksAhead: boolean, parameterCount: number): Step {
  const velocity = new Float64Array(parameterCount);
  return (parameters, g, rate) => {
    g.forEach((value, i) => {
      velocity[i] = momentum * velocity[i] + value;
      parameters[i] -= rate * (looksAhead ? value + momentum * velocity[i] : velocity[i]);
    });
  };
}

function adamSteps({ beta1, beta2, epsilon }: Moments, weightDecay: number, parameterCount: number): Step {
  const first = new Float64Array(parameterCount);
  const second = new Float64Array(parameterCount);
  let t = 0;
  return (parameters, g, rate) => {
    t += 1;
    g.forEach((value, i) => {
      first[i] = beta1 * first[i] + (1 - beta1) * value;
      second[i] = beta2 * second[i] + (1 - beta2) * value ** 2;
      const m = first[i] / (1 - beta1 ** t);
      const v = second[i] / (1 - beta2 ** t);
      parameters[i] -= rate * weightDecay * parameters[i];
      parameters[i] -= (rate * m) / (Math.sqrt(v) + epsilon);
    });
  };
}
