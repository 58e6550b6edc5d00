import { AstroScaleError } from "../../protocol/errors.ts";
import type { Strategy } from "./strategy.ts";
import { weightedMean } from "./weighted-mean.ts";

/**
 * Federated averaging: `x+ = x + sum_i n_i * delta_i / sum_i n_i`, in float64 and rounded to float32 once.
 *
 * Equal to the example-weighted mean of the nodes' parameters, since `delta_i = y_i - x`.
 *
 * Source: McMahan et al. 2017, arXiv:1602.05629, algorithm 1; server learning rate 1.
 */
export const fedavg: Strategy = {
  async aggregate(parameters, updates) {
    const mean = await weightedMean(updates, parameters.length);
    return parameters.map((x, i) => {
      const next = Math.fround(x + (mean[i] ?? 0));
      if (Number.isFinite(next)) return next;
      throw new AstroScaleError(
        "diverged",
        `parameter ${i} of the next global model is ${next}: ${x} plus a mean update of ${mean[i]}`,
      );
    });
  },
};
