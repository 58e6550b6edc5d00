import { AstroScaleError } from "../../protocol/errors.ts";
import type { ClientUpdate } from "./strategy.ts";

/**
 * Example-weighted mean of client updates: `sum_i n_i * delta_i / sum_i n_i`, one update in memory at a time.
 *
 * @param updates at least one
 * @param length `parameterCount`
 * @returns `[parameterCount]` in float64: the caller rounds once, after its last operation
 * @throws {AstroScaleError} `shape_mismatch`, `non_finite` or `invalid_request` as `Strategy.aggregate`
 *
 * Source: McMahan et al. 2017, arXiv:1602.05629, algorithm 1.
 */
export async function weightedMean(
  updates: AsyncIterable<ClientUpdate>,
  length: number,
): Promise<Float64Array<ArrayBuffer>> {
  const sum = new Float64Array(length);
  let examples = 0;
  let index = 0;
  for await (const update of updates) {
    checkUpdate(update, index, length);
    addWeighted(sum, update, index);
    examples += update.exampleCount;
    index += 1;
  }
  if (examples === 0) throw new Error("unreachable: a round closed without an update");
  return sum.map((value) => value / examples);
}

function checkUpdate({ delta, exampleCount }: ClientUpdate, index: number, length: number): void {
  if (delta.length !== length) {
    throw new AstroScaleError(
      "shape_mismatch",
      `update ${index} has ${delta.length} values, the model has ${length} parameters`,
    );
  }
  if (!Number.isSafeInteger(exampleCount) || exampleCount <= 0) {
    throw new AstroScaleError(
      "invalid_request",
      `update ${index} has example count ${exampleCount}, wanted a whole number above 0`,
    );
  }
}

/** `sum += n * delta`: exact products for `n < 2^29`, because a float32 has 24 bits and a float64 53. */
function addWeighted(sum: Float64Array, { delta, exampleCount }: ClientUpdate, index: number): void {
  for (let i = 0; i < sum.length; i++) {
    const value = delta[i] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      throw new AstroScaleError(
        "non_finite",
        `delta[${i}] of update ${index} is ${value}, wanted finite values`,
      );
    }
    sum[i] = (sum[i] ?? 0) + exampleCount * value;
  }
}
