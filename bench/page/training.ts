import type { Backend } from "../../client/backend/backend.ts";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import { type Problem, problem, type TrainingShape } from "./problem.ts";
import { type EpochRunner, tensorflowRunner } from "./tensorflow.ts";

/** Two programs on one problem, by turns. */
export interface Duel extends TrainingShape {
  readonly backend: BackendName;
  readonly warmUpEpochs: number;
  readonly timedEpochs: number;
}

/** One program's epochs. */
export interface DuelSide {
  /** Rows a second, one entry a timed epoch. */
  readonly rowsPerSecond: readonly number[];
  /** Mean losses of the first and of the last epoch. */
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/** Opens one of our backends. */
export function openBackend(name: BackendName): Promise<Backend> {
  return name === "wasm" ? createWasmBackend() : createWebgpuBackend();
}

async function ourRunner(backend: Backend, given: Problem): Promise<EpochRunner> {
  const { model, training, rows, x, classes, parameters } = given;
  const matrix = backend.matrix(x, rows, model.inputs);
  const trainer = await backend.trainer(model, training, { x: matrix, targets: { kind: "class", classes } });
  trainer.load(parameters);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  return { epoch: () => trainer.epoch(order), dispose: () => trainer.dispose() };
}

/** Trains the same model from the same weights on the same rows with both, epoch by epoch in turn. */
export async function duel(wish: Duel): Promise<{ readonly ours: DuelSide; readonly theirs: DuelSide }> {
  const given = problem(wish);
  const backend = await openBackend(wish.backend);
  const runners = [await ourRunner(backend, given), await tensorflowRunner(wish.backend, given)] as const;
  const epochs: { seconds: number; loss: number }[][] = [[], []];
  for (let epoch = 0; epoch < wish.warmUpEpochs + wish.timedEpochs; epoch++) {
    for (const [side, runner] of runners.entries()) {
      const startMs = performance.now();
      const loss = await runner.epoch();
      epochs[side]?.push({ seconds: (performance.now() - startMs) / 1000, loss });
    }
  }
  for (const runner of runners) runner.dispose();
  backend.dispose();
  const [ours, theirs] = epochs.map((all) => ({
    rowsPerSecond: all.slice(wish.warmUpEpochs).map(({ seconds }) => wish.rows / seconds),
    firstLoss: all[0]?.loss ?? Number.NaN,
    lastLoss: all.at(-1)?.loss ?? Number.NaN,
  }));
  if (!ours || !theirs) throw new Error("unreachable: there are two sides");
  return { ours, theirs };
}
