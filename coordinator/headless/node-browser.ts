import * as z from "zod";
import { ERROR_CODES } from "../../protocol/errors.ts";
import { BackendName, NodePhase } from "../../protocol/nodes.ts";

/**
 * What a node's page tells of itself: the part of `window.astroscaleNode.state()` that the pool reads. The page
 * belongs to the coordinator's origin, which may be someone else's, so it is parsed.
 */
export const HeadlessNodeState = z.object({
  phase: NodePhase,
  backend: BackendName.nullable(),
  device: z.string().nullable(),
  notice: z.string().nullable(),
  examplesPerSecond: z.number().nonnegative().nullable(),
  examplesTrained: z.number().nonnegative(),
  updatesAccepted: z.number().nonnegative(),
  error: z.object({ code: z.enum(ERROR_CODES), message: z.string() }).nullable(),
});
export type HeadlessNodeState = z.infer<typeof HeadlessNodeState>;

/** A page with one node in it. Every method rejects once the page or its browser is gone. */
export interface NodePage {
  /** What the node says, or `null` before the page has started it. */
  state(): Promise<HeadlessNodeState | null>;
  /** Asks the node to leave the coordinator; resolves when it has. */
  stop(): Promise<void>;
  /** Drops the page; its profile's storage stays. */
  close(): Promise<void>;
}

/** A browser process in which pages with separate storage are opened. */
export interface NodeBrowser {
  /**
   * Opens `url` in a page.
   *
   * @param profile whose storage the page has: a page opened after a crash finds its session and its shards
   * @throws {AstroScaleError} `coordinator_unreachable` when nobody answers at `url`
   */
  open(url: string, profile: string): Promise<NodePage>;
  /** Resolves when the process has ended, by itself or by `close`. */
  readonly exited: Promise<void>;
  close(): Promise<void>;
}

/** Starts a browser process. The seam between the pool and Playwright. */
export type LaunchBrowser = () => Promise<NodeBrowser>;
