import type { CoordinatorStatus } from "../../protocol/replies.ts";
import type { Score, TaskStatus } from "../../protocol/tasks.ts";
import type { CommandContext, StatusOptions } from "./context.ts";
import { coordinatorApi } from "./coordinator-api.ts";
import { textTable } from "./process/terminal.ts";

/**
 * `astroscale status`: prints the tasks and nodes of a running coordinator.
 *
 * @throws {AstroScaleError} `coordinator_unreachable`
 */
export async function status(options: StatusOptions, { terminal }: CommandContext): Promise<void> {
  const answer = await coordinatorApi(options.coordinator).status();
  const lines = options.json ? [JSON.stringify(answer, null, 2)] : statusLines(options.coordinator, answer);
  for (const line of lines) terminal.print(line);
}

function statusLines(origin: string, answer: CoordinatorStatus): string[] {
  const { connected, lost, list } = answer.nodes;
  const lines = [
    `AstroScale ${answer.version} at ${origin}: ${answer.status} for ${duration(answer.uptime_secs)}, ${answer.memory_usage_mb.toFixed(0)} MB`,
    "",
    ...textTable(["task", "state", "round", "nodes", "score", "central"], answer.tasks.map(taskRow)),
  ];
  for (const { task, reason } of answer.tasks) if (reason !== null) lines.push(`${task.id}: ${reason}`);
  lines.push("", `${connected} nodes connected, ${lost} lost`);
  if (list.length === 0) return lines;
  const header = ["node", "task", "state", "backend", "updates", "rejected", "examples/s", "device"];
  const rows = list.map((node) => [
    node.name,
    node.task,
    node.state,
    node.backend,
    String(node.updates),
    String(node.rejected),
    node.examplesPerSecond?.toFixed(0) ?? "-",
    node.device,
  ]);
  return [...lines, "", ...textTable(header, rows)];
}

function taskRow({ task, state, round, nodes, score, central }: TaskStatus): string[] {
  return [
    task.id,
    state,
    `${round} of ${task.rules.rounds}`,
    String(nodes),
    scoreText(score),
    scoreText(central),
  ];
}

function scoreText(score: Score | null): string {
  if (score === null) return "-";
  return score.kind === "class" ? `accuracy ${score.accuracy.toFixed(4)}` : `rmse ${score.rmse.toFixed(4)}`;
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.floor(seconds) % 60} s`;
}
