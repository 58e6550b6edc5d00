import type { RunningNode } from "../node-runtime.ts";

/** A browser process in which pages with separate storage are opened. */
export interface NodeBrowser {
  /**
   * Opens `url`, whose page starts a node.
   *
   * @param profile whose storage the page has: a page opened after a crash finds its session and its shards
   * @throws {AstroScaleError} `coordinator_unreachable` when nobody answers at `url`
   */
  open(url: string, profile: string): Promise<RunningNode>;
  /** Resolves when the process has ended, by itself or by `close`. */
  readonly exited: Promise<void>;
  close(): Promise<void>;
}

/** Starts a browser process. The seam between the pool and Playwright. */
export type LaunchBrowser = () => Promise<NodeBrowser>;
