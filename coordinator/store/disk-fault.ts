import { AstroScaleError } from "../../protocol/errors.ts";
import { errorCodeOf, storeError } from "./store-error.ts";

/**
 * Remembers that a write to disk failed, and refuses every later one until the coordinator restarts.
 *
 * After a failed flush the kernel may call the lost pages clean, so a second flush can succeed without having
 * written them, and what a reader sees now need not be what is found after a crash.
 *
 * Source: Rebello et al. 2020, "Can applications recover from fsync failures?", USENIX ATC.
 */
export class DiskFault {
  #first: AstroScaleError | null = null;

  /** The store's error for a failed write; remembered when the disk failed, rather than being full or locked. */
  writeError(doing: string, cause: unknown): AstroScaleError {
    const error = storeError(doing, cause);
    return isDiskFailure(cause) ? this.remember(error) : error;
  }

  /** Refuses all later writes for `error`, and hands it back. */
  remember(error: AstroScaleError): AstroScaleError {
    this.#first ??= error;
    return error;
  }

  /** @throws {AstroScaleError} `store_unavailable` when an earlier write failed */
  check(): void {
    if (this.#first === null) return;
    throw new AstroScaleError(
      "store_unavailable",
      `nothing is written until the coordinator restarts, because the disk failed: ${this.#first.message}`,
      { cause: this.#first },
    );
  }
}

/** Whether `cause` is a device's failure, after which the outcome of earlier writes is unknown. */
export function isDiskFailure(cause: unknown): boolean {
  const code = errorCodeOf(cause);
  return code === "EIO" || code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_CORRUPT");
}
