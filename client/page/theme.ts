import { signal } from "@preact/signals";
import { remember, remembered } from "./memory.ts";

/** `system` follows the machine. */
export type Theme = "system" | "light" | "dark";

const KEY = "astroscale.theme";

/** The chosen theme; change it with `chooseTheme`. */
export const theme = signal<Theme>("system");

/** Reads the remembered theme and applies it; call once, before the first render. */
export function restoreTheme(): void {
  const stored = remembered(KEY);
  chooseTheme(stored === "light" || stored === "dark" ? stored : "system");
}

/** Applies a theme to the document and remembers it for the next visit. */
export function chooseTheme(choice: Theme): void {
  theme.value = choice;
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
  remember(KEY, choice);
}
