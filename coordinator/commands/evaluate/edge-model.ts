import type { EdgeReport, ModelOrder, RowsOrder } from "../../../protocol/edge.ts";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { edgeProgram, startEdgeProcess } from "../../headless/process/edge-process.ts";

/** What computes the outputs. */
export type EdgeDevice = Omit<Extract<EdgeReport, { kind: "ready" }>, "kind">;

/** A model in a process of its own, computed by what nodes run. */
export interface EdgeModel {
  readonly device: EdgeDevice;
  /** Outputs of some rows, `[rows, outputs]`. @throws {AstroScaleError} why they cannot be computed */
  outputs(rows: Omit<RowsOrder, "kind">): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * Starts a process and hands it the model.
 *
 * @throws {AstroScaleError} `internal` when the program has not been built or ends; `device_unavailable`
 */
export async function openEdgeModel(model: Omit<ModelOrder, "kind">): Promise<EdgeModel> {
  let hear: (report: EdgeReport) => void = () => {};
  const edge = startEdgeProcess(edgeProgram(), (report) => hear(report));
  const ended = edge.exited.then((reason): never => {
    throw new AstroScaleError("internal", reason);
  });
  // Told to whoever asks next.
  ended.catch(() => {});
  const answer = async (send: () => void): Promise<EdgeReport> => {
    const heard = new Promise<EdgeReport>((resolve) => {
      hear = resolve;
    });
    send();
    const report = await Promise.race([heard, ended]);
    if (report.kind === "failed") throw new AstroScaleError(report.code, report.message);
    return report;
  };
  try {
    const ready = await answer(() => edge.send({ kind: "model", ...model }));
    if (ready.kind !== "ready") throw unexpected(ready);
    const { kind: _kind, ...device } = ready;
    return {
      device,
      async outputs(rows) {
        const report = await answer(() => edge.send({ kind: "rows", ...rows }));
        if (report.kind !== "outputs") throw unexpected(report);
        return report.outputs;
      },
      close: () => edge.kill(),
    };
  } catch (error) {
    await edge.kill();
    throw error;
  }
}

function unexpected({ kind }: EdgeReport): Error {
  return new Error(`unreachable: the edge process answered "${kind}"`);
}
