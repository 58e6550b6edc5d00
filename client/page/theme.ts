import { signal } from "@preact/signals";

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

/** A string kept from an earlier visit, or `null`; storage that is switched off reads as empty. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a string for the next visit, where the browser allows it. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private windows and full disks may refuse; the page works the same, only forgetful.
  }
}
