import { AstroScaleError } from "../../protocol/errors.ts";
import { nodeOrders } from "../headless/node-pool.ts";
import type { NodeSummary } from "../headless/node-record.ts";
import type { CommandContext, NodesOptions } from "./context.ts";
import { coordinatorApi } from "./coordinator-api.ts";
import { openHeadlessNodes } from "./headless-nodes.ts";
import { nodeLine, summaryTable } from "./node-lines.ts";
import { onInterrupt } from "./process/interruption.ts";

/**
 * `astroscale nodes`: runs headless nodes until all have finished, or until SIGINT or SIGTERM lets them leave;
 * then prints what each did.
 *
 * @throws {AstroScaleError} `coordinator_unreachable` when none answers at the start, `not_found` when it has no
 * such task, `chromium_missing`, or the code of a node that was given up
 */
export async function nodes(options: NodesOptions, { terminal }: CommandContext): Promise<void> {
  await checkTask(options);
  // With --json, standard output holds the JSON alone.
  const report = options.json ? terminal.complain : terminal.print;
  const interruption = onInterrupt();
  try {
    const pool = await openHeadlessNodes({
      ...options,
      nodes: nodeOrders(options.name, options.count, options.task ?? null),
      onEvent: (event) => report(nodeLine(event)),
      report,
      signal: interruption.signal,
    });
    interruption.signal.addEventListener("abort", () => {
      report("Leaving; once more to end at once.");
      void pool.stop();
    });
    if (interruption.signal.aborted) await pool.stop();
    const summaries = await pool.done;
    if (options.json) terminal.print(JSON.stringify({ nodes: summaries }, null, 2));
    else for (const line of summaryTable(summaries)) terminal.print(line);
    refuseFailures(summaries);
  } finally {
    interruption.release();
  }
}

async function checkTask({ coordinator, task }: NodesOptions): Promise<void> {
  const { tasks } = await coordinatorApi(coordinator).tasks();
  const ids = tasks.map((status) => status.task.id);
  if (task === undefined || ids.includes(task)) return;
  throw new AstroScaleError("not_found", `${coordinator} has no task "${task}", only ${ids.join(", ")}`);
}

function refuseFailures(summaries: readonly NodeSummary[]): void {
  const failed = summaries.filter(({ error }) => error !== null);
  const [first] = failed;
  if (!first?.error) return;
  const { code, message } = first.error;
  const count = `${failed.length} of ${summaries.length}`;
  throw new AstroScaleError(
    code,
    `${count} nodes were given up, the first, ${first.name}, because: ${message}`,
  );
}
