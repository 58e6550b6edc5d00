import { remember, remembered } from "../memory.ts";
import { readThreads } from "./join-parameters.ts";

const KEY = "astroscale.threads";

/** The threads that this volunteer gave last, or `null` for as many as is usual. */
export function rememberedThreads(): number | null {
  return readThreads(remembered(KEY));
}

/** Keeps the choice for the next visit. */
export function rememberThreads(threads: number | null): void {
  remember(KEY, threads === null ? "" : String(threads));
}
