import { type Examples, lossGradient, type Network } from "./network.ts";
import { type OptimizerRule, steps } from "./optimizers.ts";
import { dropoutFactor } from "./philox.ts";

/** What a node does in a round; terms that are left out are off. */
export interface LocalRun {
  readonly network: Network;
  readonly examples: Examples;
  readonly batchSize: number;
  readonly optimizer: OptimizerRule;
  readonly dropout?: number;
  readonly l2?: number;
  readonly gradientClipNorm?: number | null;
}

/** Where it starts; terms that are left out are off. */
export interface RunStart {
  readonly parameters: ArrayLike<number>;
  readonly proximalMu?: number;
  readonly correction?: ArrayLike<number> | null;
  readonly dropoutSeed?: number;
}

/** A round in progress. */
export interface LocalTrainer {
  readonly parameters: Float64Array;
  /** One local epoch; gives the mean over rows of the loss before each row's step. */
  epoch(order: ArrayLike<number>, rates: ArrayLike<number>): number;
}

/** Local training in float64. A step clips the gradient, adds the terms, then takes the optimiser's step. */
export function localTrainer(run: LocalRun, start: RunStart): LocalTrainer {
  const { network, examples, batchSize, optimizer, dropout = 0 } = run;
  const parameters = Float64Array.from(start.parameters);
  const step = steps(optimizer, parameters.length);
  let t = 0;
  return {
    parameters,
    epoch(order, rates) {
      const rows = Array.from(order);
      let sum = 0;
      for (let at = 0, s = 0; at < rows.length; at += batchSize, s++) {
        const batch = rows.slice(at, at + batchSize);
        const thinned = dropoutFactor({ dropout, seed: start.dropoutSeed ?? 0, step: t });
        const used = dropout === 0 ? network : { ...network, thinned };
        const { loss, gradient } = lossGradient(used, parameters, examples, batch);
        sum += loss * batch.length;
        step(parameters, withTerms(run, start, { parameters, gradient }), rates[s]);
        t += 1;
      }
      return rows.length === 0 ? 0 : sum / rows.length;
    },
  };
}

/** `g * min(1, gradientClipNorm / |g|) + l2 * w + proximalMu * (w - w0) + correction` */
function withTerms(
  { gradientClipNorm, l2 = 0 }: LocalRun,
  { parameters: first, proximalMu = 0, correction }: RunStart,
  { parameters, gradient }: { readonly parameters: Float64Array; readonly gradient: Float64Array },
): Float64Array {
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value ** 2, 0));
  const scale = Math.min(1, (gradientClipNorm ?? Number.POSITIVE_INFINITY) / norm);
  return gradient.map((value, i) => {
    const w = parameters[i];
    return value * scale + l2 * w + proximalMu * (w - first[i]) + (correction ? correction[i] : 0);
  });
}
