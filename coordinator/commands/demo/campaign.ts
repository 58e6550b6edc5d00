import { nodeOrders } from "../../headless/node-pool.ts";
import { systemSleep } from "../../headless/sleep.ts";
import type { NodeEvent } from "../../headless/supervised-node.ts";
import type { DemoOptions } from "../context.ts";
import { coordinatorApi } from "../coordinator-api.ts";
import { openNodesAnywhere } from "../headless-nodes.ts";
import { nodeLine } from "../node-lines.ts";
import type { Terminal } from "../process/terminal.ts";
import { type DemoReport, demoReport } from "./report.ts";
import { CENTRAL, demoTasks, untilFinished } from "./watch.ts";

/** Time for the nodes to hear that their task has finished. */
const FAREWELL_MS = 5_000;

/**
 * Runs the coordinator's first task and its baseline to their ends with headless nodes, telling of each round.
 *
 * @throws {AstroScaleError} what `openNodesAnywhere` and `untilFinished` throw
 */
export async function runCampaign(
  coordinator: string,
  { nodes, backend }: DemoOptions,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<DemoReport> {
  const api = coordinatorApi(coordinator);
  const { task, baseline } = await demoTasks(api);
  const { id, title, rules } = task.task;
  terminal.print(`${title} ${rules.rounds} rounds, ${nodes} nodes, and one for the centralised run`);
  const order = {
    coordinator,
    backend,
    nodes: [...nodeOrders("headless", nodes, id), { name: CENTRAL, task: baseline.task.id }],
    onEvent: (event: NodeEvent) => terminal.print(nodeLine(event)),
    report: terminal.print,
    signal,
  };
  const pool = await openNodesAnywhere(order, (reason) => {
    terminal.complain(`No browser: ${reason}. The nodes run in Node.`);
  });
  try {
    const ended = await untilFinished({
      api,
      pool,
      terminal,
      signal,
      sleep: systemSleep,
      nowMs: () => performance.now(),
    });
    await Promise.race([pool.done, systemSleep(FAREWELL_MS, signal)]);
    const { rounds } = await api.rounds(id);
    const federated = pool.summaries().filter(({ name }) => name !== CENTRAL);
    return demoReport(id, rounds, { central: ended.baseline.score, nodes: federated });
  } finally {
    await pool.stop();
  }
}
