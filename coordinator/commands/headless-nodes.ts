import { AstroScaleError } from "../../protocol/errors.ts";
import { browserRuntime } from "../headless/browser/browser-runtime.ts";
import { ensureChromium, streamProgram } from "../headless/browser/chromium-install.ts";
import { thisMachine } from "../headless/browser/machine.ts";
import { type NodePool, startNodePool } from "../headless/node-pool.ts";
import type { BackendWish, NodeRuntime } from "../headless/node-runtime.ts";
import { processRuntime } from "../headless/process/process-runtime.ts";
import type { NodeEvent, NodeOrder } from "../headless/supervised-node.ts";
import type { RuntimeWish } from "./context.ts";

/** Which headless nodes a command wants. */
export interface HeadlessOrder {
  readonly coordinator: string;
  readonly runtime: RuntimeWish;
  readonly backend: BackendWish;
  /** Of each node. */
  readonly threads?: number;
  /** Where nodes in Node keep themselves between runs; nowhere when left out. */
  readonly stateDir?: string;
  readonly nodes: readonly NodeOrder[];
  readonly onEvent: (event: NodeEvent) => void;
  /** Called with a line for people while a browser is being installed. */
  readonly report: (line: string) => void;
  /** Ends an installation that runs. */
  readonly signal: AbortSignal;
}

/**
 * Starts headless nodes: in a browser that is found, or else installed, or in Node.
 *
 * @throws {AstroScaleError} `chromium_missing` when there is no browser and none could be installed; `internal`
 * when the program for Node has not been built
 */
export async function openHeadlessNodes(order: HeadlessOrder): Promise<NodePool> {
  const { coordinator, backend, nodes, onEvent, stateDir = null } = order;
  const runtime =
    order.runtime === "node" ? processRuntime({ stateDirectory: stateDir }) : await openBrowserRuntime(order);
  const threads = order.threads === undefined ? {} : { threads: order.threads };
  return startNodePool({ coordinator, backend, ...threads, nodes, runtime, onEvent });
}

/**
 * Starts headless nodes in a browser, or in Node where there is none.
 *
 * @param onFallback told why there is no browser, before Node takes its place
 * @throws {AstroScaleError} `chromium_missing` when the search for a browser was interrupted; `internal`
 */
export async function openNodesAnywhere(
  order: Omit<HeadlessOrder, "runtime">,
  onFallback: (reason: string) => void,
): Promise<NodePool> {
  try {
    return await openHeadlessNodes({ ...order, runtime: "browser" });
  } catch (error) {
    const isMissing = error instanceof AstroScaleError && error.code === "chromium_missing";
    if (!isMissing || order.signal.aborted) throw error;
    onFallback(error.message);
    return openHeadlessNodes({ ...order, runtime: "node" });
  }
}

async function openBrowserRuntime({
  coordinator,
  backend,
  report,
  signal,
}: Omit<HeadlessOrder, "runtime">): Promise<NodeRuntime> {
  const machine = thisMachine();
  const run = streamProgram(report, signal);
  const executablePath = await ensureChromium(machine, { report, run });
  // Playwright is large: a command that fails before this need not wait for it.
  const { playwrightLauncher } = await import("../headless/browser/playwright-browser.ts");
  return browserRuntime(playwrightLauncher({ executablePath, machine, coordinator, backend }));
}
