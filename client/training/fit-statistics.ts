import type { BackendName } from "../../protocol/nodes.ts";
import type { FitPlan } from "../../protocol/rounds.ts";
import { encodeStatistics } from "../../protocol/statistics.ts";
import type { Backend } from "../backend/backend.ts";
import type { ClientUpdate } from "./local-update.ts";
import type { FeatureRows } from "./training-rows.ts";

/**
 * The update of a fit round: statistics of every feature over the rows of the plan's shards, computed on the
 * device. `exampleCount` counts all rows, those with missing values too.
 *
 * @throws {AstroScaleError} `device_lost`
 */
export async function fitStatistics(
  backend: Backend,
  plan: FitPlan,
  { data, nodeId }: { readonly data: FeatureRows; readonly nodeId: string },
): Promise<ClientUpdate> {
  const x = backend.encodeFeatures(data.columns, data.terms);
  try {
    const statistics = await backend.moments(x);
    const metadata = {
      task: plan.task,
      round: String(plan.round),
      node: nodeId,
      exampleCount: String(data.rows),
      backend: backend.name satisfies BackendName,
    };
    return { task: plan.task, round: plan.round, bytes: encodeStatistics(statistics, metadata) };
  } finally {
    x.dispose();
  }
}
