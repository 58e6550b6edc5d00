import { AstroScaleError } from "../../../protocol/errors.ts";

/**
 * Checks that `bytes` are those named by `digest`. Pages of an insecure origin have no `crypto.subtle`; there
 * the check is left out.
 *
 * @param digest SHA-256, lower-case hexadecimal
 * @throws {AstroScaleError} `base_model_mismatch` when they are others
 */
export async function checkModelDigest(bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<void> {
  const subtle = (globalThis.crypto as { subtle?: SubtleCrypto } | undefined)?.subtle;
  if (subtle === undefined) return;
  const hash = new Uint8Array(await subtle.digest("SHA-256", bytes));
  const found = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== digest) {
    throw new AstroScaleError("base_model_mismatch", `global model is ${found}, the plan wants ${digest}`);
  }
}
