import type { TaskSpec } from "../../protocol/tasks.ts";
import { classScorer } from "./class-scorer.ts";
import type { Scorer } from "./scorer.ts";
import { valueScorer } from "./value-scorer.ts";

/** The scorer of a task's model: `classScorer` or `valueScorer`, by its label. */
export function taskScorer({
  label,
  model,
  training,
}: Pick<TaskSpec, "label" | "model" | "training">): Scorer {
  return label.kind === "class"
    ? classScorer(label.classes.length, training)
    : valueScorer(model.head, training);
}
