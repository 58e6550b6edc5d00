import type { BenchBrowser, BrowserOpener } from "./bench-browser.ts";

/** What an area works with. */
export interface Bench {
  readonly browser: BenchBrowser;
  /** The WebGPU adapter's description. */
  readonly adapter: string;
  readonly openBrowser: BrowserOpener;
  /** Whether a short look is wanted, to see that everything works: its figures mean little. */
  readonly quick: boolean;
}
