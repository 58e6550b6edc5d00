import type { BackendName } from "../../../protocol/nodes.ts";
import type { Score } from "../../../protocol/tasks.ts";
import type { ClassCounts } from "../../evaluation/class-scorer.ts";
import { textTable } from "../process/terminal.ts";

/** What `astroscale evaluate --json` prints. Part of the contract with users. */
export interface EvaluationReport {
  readonly task: string;
  /** The round whose global model was scored. */
  readonly round: number;
  readonly input: string;
  readonly rows: number;
  readonly backend: BackendName;
  readonly device: string;
  /** Why another backend computed than was asked for, or `null`. */
  readonly notice: string | null;
  readonly score: Score;
  /** In the task's order; empty where the label is a value. */
  readonly classes: readonly ({ readonly name: string } & ClassCounts)[];
}

/** The report as tables for people. */
export function evaluationLines(report: EvaluationReport): string[] {
  const { task, round, input, rows, device, score, classes } = report;
  const { kind: _kind, ...values } = score;
  const scores = Object.entries(values).map(([name, value]) => [NAMES[name] ?? name, value.toFixed(4)]);
  const lines = [
    `${task}, the model after round ${round}, on ${rows} rows of ${input} (${device})`,
    "",
    ...textTable(["score", "value"], scores),
  ];
  if (classes.length === 0) return lines;
  const header = ["class", "rows", "predicted", "correct", "precision", "recall"];
  const cells = classes.map(({ name, actual, predicted, hits }) => [
    name,
    String(actual),
    String(predicted),
    String(hits),
    share(hits, predicted),
    share(hits, actual),
  ]);
  return [...lines, "", ...textTable(header, cells)];
}

const NAMES: Readonly<Record<string, string>> = { macroF1: "macro F1" };

function share(part: number, whole: number): string {
  return whole === 0 ? "-" : (part / whole).toFixed(4);
}
