import { AstroScaleError } from "../../protocol/errors.ts";

const NO_SPACE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "SQLITE_FULL"]);

/** The system's or SQLite's code, such as `ENOSPC` or `SQLITE_BUSY`; `""` when there is none. */
export function errorCodeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

/**
 * A failure of disk or database as the store answers it: `disk_full` when there is no space, else
 * `store_unavailable`, with the cause kept. An `AstroScaleError` comes back as it is.
 *
 * @param doing what was tried, such as `read record "round/7"`
 */
export function storeError(doing: string, cause: unknown): AstroScaleError {
  if (cause instanceof AstroScaleError) return cause;
  const message = `could not ${doing}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new AstroScaleError(NO_SPACE.has(errorCodeOf(cause)) ? "disk_full" : "store_unavailable", message, {
    cause,
  });
}
