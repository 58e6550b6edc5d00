import { AstroScaleError } from "../../protocol/errors.ts";
import type { Scorer } from "./scorer.ts";

/**
 * Scores of a regression with one output `p_r`, in the unit of the label `t_r`:
 *
 * - `loss = mean_r (p_r - t_r)^2`, the mean squared error, and `rmse = sqrt(loss)`;
 * - `mae = mean_r |p_r - t_r|`;
 * - `r2 = 1 - sum_r (p_r - t_r)^2 / sum_r (t_r - mean t)^2`. Where all targets are equal it is 1 for a perfect
 *   fit and else 0, as scikit-learn's `r2_score`.
 *
 * `add` throws `AstroScaleError` `invalid_request` when a target is not finite.
 *
 * @param targets all targets, for their mean; `add` wants each once
 */
export function valueScorer(targets: Float64Array): Scorer {
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  let rows = 0;
  let squares = 0;
  let absolutes = 0;
  let spread = 0;
  return {
    add([output = Number.NaN], target) {
      if (!Number.isFinite(target)) {
        throw new AstroScaleError("invalid_request", `held-out target ${rows} is ${target}, wanted a number`);
      }
      squares += (output - target) ** 2;
      absolutes += Math.abs(output - target);
      spread += (target - mean) ** 2;
      rows += 1;
    },
    score() {
      const loss = squares / rows;
      const flat = squares === 0 ? 1 : 0;
      const r2 = spread === 0 ? flat : 1 - squares / spread;
      return { kind: "value", loss, rmse: Math.sqrt(loss), mae: absolutes / rows, r2 };
    },
  };
}
