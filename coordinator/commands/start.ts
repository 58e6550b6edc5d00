import { resolve } from "node:path";
import { AstroScaleError } from "../../protocol/errors.ts";
import { loadConfig } from "../config.ts";
import { type NodePool, nodeOrders } from "../headless/node-pool.ts";
import type { NodeEvent, NodeOrder } from "../headless/supervised-node.ts";
import { packageVersion } from "../package-root.ts";
import { type RunningCoordinator, startCoordinator } from "../server.ts";
import type { CommandContext, StartOptions } from "./context.ts";
import { coordinatorApi } from "./coordinator-api.ts";
import { openNodesAnywhere } from "./headless-nodes.ts";
import { nodeLine } from "./node-lines.ts";
import { onInterrupt } from "./process/interruption.ts";
import type { Terminal } from "./process/terminal.ts";

/**
 * `astroscale start`: a coordinator and headless nodes beside it, until SIGINT or SIGTERM. Without a browser
 * the nodes run in Node.
 *
 * @throws {AstroScaleError} what `loadConfig` and `startCoordinator` throw
 */
export async function start(options: StartOptions, { terminal, env }: CommandContext): Promise<void> {
  const { port, dataDir, roundInterval: roundIntervalSecs } = options;
  const config = loadConfig(env, {
    roundIntervalSecs,
    ...(port === undefined ? {} : { port }),
    ...(dataDir === undefined ? {} : { dataDirectory: resolve(dataDir) }),
  });
  const interruption = onInterrupt();
  try {
    const coordinator = await startCoordinator(config);
    let pool: NodePool | null = null;
    try {
      const origin = localOrigin(coordinator.url);
      for (const line of welcome(origin, config.dataDirectory, coordinator)) terminal.print(line);
      if (options.browser) pool = await tryHeadlessNodes(origin, options, terminal, interruption.signal);
      await aborted(interruption.signal);
      terminal.print("Stopping; once more to end at once.");
    } finally {
      await pool?.stop();
      await coordinator.close();
    }
  } finally {
    interruption.release();
  }
}

/** Where this machine's own browsers reach a coordinator that listens on every address. */
function localOrigin(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const everywhere = hostname === "0.0.0.0" || hostname === "[::]";
  return everywhere ? `${protocol}//127.0.0.1:${port}` : url;
}

function welcome(origin: string, dataDirectory: string, { adminToken }: RunningCoordinator): string[] {
  const token = ["", "Administrator's token, shown this once:", `  ${adminToken}`];
  return [
    `AstroScale ${packageVersion()}`,
    `  volunteers  ${origin}/`,
    `  dashboard   ${origin}/dashboard`,
    `  data        ${dataDirectory}`,
    ...(adminToken === null ? [] : token),
    "",
    "Ctrl+C stops it.",
  ];
}

async function tryHeadlessNodes(
  coordinator: string,
  { nodes, backend }: StartOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<NodePool | null> {
  try {
    const order = {
      coordinator,
      backend,
      nodes: [...nodeOrders("headless", nodes, null), ...(await centralNodes(coordinator))],
      onEvent: (event: NodeEvent) => terminal.print(nodeLine(event)),
      report: terminal.print,
      signal,
    };
    return await openNodesAnywhere(order, (reason) => {
      terminal.complain(`No browser for the headless nodes: ${reason}. They run in Node.`);
      terminal.complain(`To join by hand open ${coordinator}/ in a browser and press Join.`);
    });
  } catch (error) {
    // An installation that was interrupted.
    if (signal.aborted && error instanceof AstroScaleError && error.code === "chromium_missing") return null;
    throw error;
  }
}

/** One node for each unfinished baseline task, called "central". */
async function centralNodes(coordinator: string): Promise<NodeOrder[]> {
  const { tasks } = await coordinatorApi(coordinator).tasks();
  const baselines = tasks.filter(({ task, state }) => task.baselineOf !== null && state !== "finished");
  return baselines.map(({ task }, index) => ({
    name: index === 0 ? "central" : `central-${index + 1}`,
    task: task.id,
  }));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener("abort", () => done(), { once: true });
  });
}
