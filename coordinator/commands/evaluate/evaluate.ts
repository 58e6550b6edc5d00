import { AstroScaleError } from "../../../protocol/errors.ts";
import type { TaskSpec } from "../../../protocol/tasks.ts";
import { classScorer } from "../../evaluation/class-scorer.ts";
import type { Scorer } from "../../evaluation/scorer.ts";
import { valueScorer } from "../../evaluation/value-scorer.ts";
import type { CommandContext, EvaluateOptions } from "../context.ts";
import { coordinatorApi } from "../coordinator-api.ts";
import { openEdgeModel } from "./edge-model.ts";
import { labelledBatches } from "./labelled-file.ts";
import { type ModelFile, readModelFile } from "./model-file.ts";
import { type EvaluationReport, evaluationLines } from "./report.ts";

/**
 * `astroscale evaluate`: scores the rows of a labelled csv file with a task's global model, computed here by what nodes
 * run, and prints the scores.
 *
 * @throws {AstroScaleError} `coordinator_unreachable`; `not_found` when there is no such task, round or file;
 * `column_missing` and `catalog_malformed` for the file's contents; `diverged` when an output is not finite
 */
export async function evaluate(options: EvaluateOptions, { terminal }: CommandContext): Promise<void> {
  const api = coordinatorApi(options.coordinator);
  const { task } = await api.task(options.task);
  const [catalog, bytes] = await Promise.all([
    api.catalog(task.catalog),
    api.model(task.id, options.round ?? null),
  ]);
  const model = readModelFile(bytes);
  const wanted = { features: model.features, label: model.label, columns: catalog.columns };
  const report = await scoreFile(options, { task, model, batches: labelledBatches(options.input, wanted) });
  const { notice } = report;
  if (notice !== null) terminal.complain(notice);
  const lines = options.json ? [JSON.stringify(report, null, 2)] : evaluationLines(report);
  for (const line of lines) terminal.print(line);
}

interface Materials {
  readonly task: TaskSpec;
  readonly model: ModelFile;
  readonly batches: ReturnType<typeof labelledBatches>;
}

async function scoreFile(
  { input, backend }: EvaluateOptions,
  { task, model: file, batches }: Materials,
): Promise<EvaluationReport> {
  const { round, label, ...model } = file;
  const { training } = task;
  const classes = label.kind === "class" ? label.classes : [];
  const classed = label.kind === "class" ? classScorer(classes.length, training) : null;
  const scorer = classed ?? valueScorer(model.model.head, training);
  const edge = await openEdgeModel({ ...model, training, backend });
  try {
    let rows = 0;
    for await (const batch of batches) {
      const outputs = await edge.outputs({ rows: batch.rows, columns: { ...batch.columns } });
      addRows(scorer, { outputs, targets: batch.targets, width: model.model.outputs, firstRow: rows });
      rows += batch.rows;
    }
    if (rows === 0) throw new AstroScaleError("invalid_request", `${input} has no row below its header`);
    const counts = classed?.counts() ?? [];
    return {
      task: task.id,
      round,
      input,
      rows,
      ...edge.device,
      score: scorer.score(),
      classes: counts.map((each, k) => ({ name: classes[k] ?? "", ...each })),
    };
  } finally {
    await edge.close();
  }
}

function addRows(
  scorer: Scorer,
  {
    outputs,
    targets,
    width,
    firstRow,
  }: {
    readonly outputs: Float32Array;
    readonly targets: Float64Array;
    readonly width: number;
    readonly firstRow: number;
  },
): void {
  targets.forEach((target, r) => {
    const row = outputs.subarray(r * width, (r + 1) * width);
    const at = row.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new AstroScaleError("diverged", `output ${at} of row ${firstRow + r} is ${row[at]}`);
    scorer.add(row, target);
  });
}
