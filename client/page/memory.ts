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
