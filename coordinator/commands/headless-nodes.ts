import { browserRuntime } from "../headless/browser/browser-runtime.ts";
import { ensureChromium, streamProgram } from "../headless/browser/chromium-install.ts";
import { thisMachine } from "../headless/browser/machine.ts";
import { type NodePool, startNodePool } from "../headless/node-pool.ts";
import type { BackendWish } from "../headless/node-runtime.ts";
import type { NodeEvent, NodeOrder } from "../headless/supervised-node.ts";

/** Which headless nodes a command wants. */
export interface HeadlessOrder {
  readonly coordinator: string;
  readonly backend: BackendWish;
  readonly nodes: readonly NodeOrder[];
  readonly onEvent: (event: NodeEvent) => void;
  /** Called with a line for people while a browser is being installed. */
  readonly report: (line: string) => void;
  /** Ends an installation that runs. */
  readonly signal: AbortSignal;
}

/**
 * Starts headless nodes in a browser that is found, or else installed.
 *
 * @throws {AstroScaleError} `chromium_missing` when there is none and none could be installed
 */
export async function openHeadlessNodes(order: HeadlessOrder): Promise<NodePool> {
  const { coordinator, backend, nodes, onEvent, report, signal } = order;
  const machine = thisMachine();
  const run = streamProgram(report, signal);
  const executablePath = await ensureChromium(machine, { report, run });
  // Playwright is large: a command that fails before this need not wait for it.
  const { playwrightLauncher } = await import("../headless/browser/playwright-browser.ts");
  const runtime = browserRuntime(playwrightLauncher({ executablePath, machine, coordinator, backend }));
  return startNodePool({ coordinator, backend, nodes, runtime, onEvent });
}
