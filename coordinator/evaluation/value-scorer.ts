import { AstroScaleError } from "../../protocol/errors.ts";
import type { LocalTraining } from "../../protocol/local-training.ts";
import type { Head } from "../../protocol/model.ts";
import type { Scorer } from "./scorer.ts";
import { valueLoss } from "./value-loss.ts";

/**
 * Scores of a regression of one value a row, whose prediction `p_r` is the first output (with the head
 * `gaussian` the mean), in the unit of the label `t_r`:
 *
 * - `loss`, the mean over rows of the head's own loss, see `Head`;
 * - `rmse = sqrt(mean_r (p_r - t_r)^2)` and `mae = mean_r |p_r - t_r|`;
 * - `r2 = 1 - sum_r (p_r - t_r)^2 / sum_r (t_r - mean t)^2`. Where all targets are equal it is 1 for a perfect
 *   fit and else 0, as scikit-learn's `r2_score`.
 *
 * Rows are not kept: the targets' spread is a running one.
 *
 * `add` throws `AstroScaleError` `invalid_request` when a target is not finite.
 *
 * Source of the spread: Welford 1962, "Note on a method for calculating corrected sums of squares".
 */
export function valueScorer(head: Head, { huberDelta }: Pick<LocalTraining, "huberDelta">): Scorer {
  const lossOf = valueLoss(head, huberDelta);
  let rows = 0;
  let losses = 0;
  let squares = 0;
  let absolutes = 0;
  let mean = 0;
  let spread = 0;
  return {
    add(outputs, target) {
      if (!Number.isFinite(target)) {
        throw new AstroScaleError("invalid_request", `target of row ${rows} is ${target}, wanted a number`);
      }
      const error = (outputs[0] ?? Number.NaN) - target;
      rows += 1;
      losses += lossOf(outputs, target);
      squares += error ** 2;
      absolutes += Math.abs(error);
      const distance = target - mean;
      mean += distance / rows;
      spread += distance * (target - mean);
    },
    score() {
      const flat = squares === 0 ? 1 : 0;
      const r2 = spread === 0 ? flat : 1 - squares / spread;
      return {
        kind: "value",
        loss: losses / rows,
        rmse: Math.sqrt(squares / rows),
        mae: absolutes / rows,
        r2,
      };
    },
  };
}
