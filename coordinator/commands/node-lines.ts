import type { NodeSummary } from "../headless/node-record.ts";
import type { NodeEvent } from "../headless/supervised-node.ts";
import { textTable } from "./process/terminal.ts";

/** One line for people about what a headless node did. */
export function nodeLine(event: NodeEvent): string {
  switch (event.kind) {
    case "running":
      return `${event.name}: computing with ${event.backend}, ${event.device}`;
    case "reconnecting":
      return `${event.name}: lost the coordinator, trying again`;
    case "notice":
      return `${event.name}: ${event.text}`;
    case "restarting":
      return `${event.name}: restarting in ${event.waitMs / 1000} s: ${event.reason}`;
    case "ended":
      return endedLine(event.node);
    default:
      throw new Error(`unreachable: ${JSON.stringify(event satisfies never)}`);
  }
}

function endedLine({ name, phase, error, updatesAccepted }: NodeSummary): string {
  if (error) return `${name}: given up: ${error.message} (${error.code})`;
  return `${name}: ${phase} after ${updatesAccepted} ${updatesAccepted === 1 ? "update" : "updates"}`;
}

/** The table at the end of a pool. */
export function summaryTable(nodes: readonly NodeSummary[]): string[] {
  const header = ["node", "state", "backend", "updates", "examples", "examples/s", "restarts", "device"];
  const rows = nodes.map((node) => [
    node.name,
    node.phase,
    node.backend ?? "-",
    String(node.updatesAccepted),
    String(node.examplesTrained),
    node.examplesPerSecond === null ? "-" : node.examplesPerSecond.toFixed(0),
    String(node.restarts),
    node.device ?? "-",
  ]);
  return textTable(header, rows);
}
