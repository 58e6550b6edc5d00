import { remember, remembered } from "../memory.ts";

const KEY = "astroscale.name";

/** The name of this volunteer's last node, or `null`. */
export function rememberedName(): string | null {
  return remembered(KEY);
}

/** Keeps a name for the next visit. */
export function rememberName(name: string): void {
  remember(KEY, name);
}
