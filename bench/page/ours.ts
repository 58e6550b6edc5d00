import type { Backend, Trainer } from "../../client/backend/backend.ts";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { Contestant } from "./contest.ts";
import type { Problem } from "./problem.ts";

/** One of our backends. */
export interface BackendWish {
  readonly backend: BackendName;
  /** Threads of `wasm`; `webgpu` needs none. */
  readonly threads: number;
}

/** Opens one of our backends. */
export function openOurs({ backend, threads }: BackendWish): Promise<Backend> {
  return backend === "wasm" ? createWasmBackend({ threads }) : createWebgpuBackend();
}

async function trainerOf(backend: Backend, given: Problem): Promise<Trainer> {
  const { model, training, rows, x, classes, parameters } = given;
  const matrix = backend.matrix(x, rows, model.inputs);
  const set = { x: matrix, targets: { kind: "class", classes } } as const;
  const trainer = await backend.trainer({ model, training, set });
  trainer.load({ parameters, proximalMu: 0, correction: null, dropoutSeed: 0 });
  return trainer;
}

/** Training as a node does it. An epoch gives its mean loss. */
export async function ourTraining(wish: BackendWish, given: Problem): Promise<Contestant> {
  const backend = await openOurs(wish);
  const trainer = await trainerOf(backend, given);
  const { batchSize, localLearningRate } = given.training;
  const order = Uint32Array.from({ length: given.rows }, (_, row) => row);
  const rates = new Float32Array(Math.ceil(given.rows / batchSize)).fill(localLearningRate);
  return {
    once: () => trainer.epoch(order, rates),
    dispose() {
      trainer.dispose();
      backend.dispose();
    },
  };
}

/** Outputs of all rows, read back; rows and parameters stay on the device. @param keep gets every result */
export async function ourInference(
  wish: BackendWish,
  given: Problem,
  keep: (outputs: Float32Array) => void,
): Promise<Contestant> {
  const backend = await openOurs(wish);
  const trainer = await trainerOf(backend, given);
  return {
    async once() {
      const values = await trainer.outputs();
      keep(values);
      return values[0] ?? Number.NaN;
    },
    dispose() {
      trainer.dispose();
      backend.dispose();
    },
  };
}
