import { AstroScaleError } from "../../protocol/errors.ts";
import type { JsonValue } from "./store.ts";

/**
 * `value` as JSON. `JSON.stringify` alone would write NaN and infinities as `null`.
 *
 * @throws {AstroScaleError} `non_finite` naming the property
 */
export function jsonText(value: JsonValue): string {
  return JSON.stringify(value, (property, held: unknown) => {
    if (typeof held === "number" && !Number.isFinite(held)) {
      throw new AstroScaleError("non_finite", `"${property}" is ${held}, a record holds finite numbers only`);
    }
    return held;
  });
}
