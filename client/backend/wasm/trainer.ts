import { AstroScaleError } from "../../../protocol/errors.ts";
import { type ModelSpec, parameterCount } from "../../../protocol/model.ts";
import type { LocalTraining } from "../../../protocol/tasks.ts";
import { type OptimizerRecord, writeOptimizer } from "../../../wasm/records.ts";
import type { Trainer, TrainingSet } from "../backend.ts";
import { checkIndices } from "../training-set.ts";
import { pad, unpad } from "./padded-parameters.ts";
import { placeNetwork, type ResidentNetwork, type WasmMachine } from "./resident-network.ts";

/** What a trainer is made for. */
export interface TrainerInput {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  readonly set: TrainingSet;
}

/**
 * A trainer whose local epoch is one call of the kernels. Its parameters are 0 until `load`.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes; `device_lost` when
 * memory cannot grow so far
 */
export function createWasmTrainer(machine: WasmMachine, { model, training, set }: TrainerInput): Trainer {
  const { kernels, heap } = machine;
  const { rows } = set.x;
  const count = parameterCount(model);
  const record = optimizerRecord(training);
  let placed: ResidentNetwork | null = placeNetwork(machine, model, set);

  const resident = (): ResidentNetwork => {
    if (placed === null) throw new Error("a trainer was used after it was disposed");
    return placed;
  };
  const flat = (at: number): Float32Array<ArrayBuffer> => {
    const { layers, length } = resident();
    const values = new Float32Array(count);
    unpad(layers, heap.floats(at, length), values);
    return values;
  };
  const load = (parameters: Float32Array<ArrayBuffer>): void => {
    const { layers, length, parameters: at, first, second, optimizer } = resident();
    if (parameters.length !== count) {
      throw new AstroScaleError("shape_mismatch", `${parameters.length} parameters, the model has ${count}`);
    }
    pad(layers, parameters, heap.floats(at, length));
    heap.floats(first, length).fill(0);
    heap.floats(second, length).fill(0);
    writeOptimizer(kernels.memory, optimizer, record);
  };
  load(new Float32Array(count));

  return {
    load,
    async epoch(order) {
      const { network, optimizer } = resident();
      if (order.length === 0) return 0;
      return withIndices(machine, order, rows, (at) =>
        kernels.trainEpoch(network, optimizer, at, order.length, training.batchSize),
      );
    },
    async gradient(chosen) {
      const { network, gradient } = resident();
      if (chosen.length === 0) return { loss: 0, gradient: new Float32Array(count) };
      const loss = withIndices(machine, chosen, rows, (at) =>
        kernels.lossGradient(network, at, chosen.length),
      );
      return { loss, gradient: flat(gradient) };
    },
    async outputs() {
      return outputsOf(machine, resident().network, rows, model.outputs);
    },
    async parameters() {
      return flat(resident().parameters);
    },
    dispose() {
      if (placed !== null) heap.free(placed.block);
      placed = null;
    },
  };
}

/** Calls `work` with the address of the indices. @throws {AstroScaleError} `shape_mismatch` for a row that is not there */
function withIndices<T>(
  { heap }: WasmMachine,
  indices: Uint32Array<ArrayBuffer>,
  rows: number,
  work: (at: number) => T,
): T {
  checkIndices(indices, rows, "row");
  const at = heap.allocate(indices.byteLength);
  try {
    heap.words(at, indices.length).set(indices);
    return work(at);
  } finally {
    heap.free(at);
  }
}

function outputsOf(
  machine: WasmMachine,
  network: number,
  rows: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const { kernels, heap } = machine;
  const at = heap.allocate(rows * width * 4);
  try {
    const everyRow = Uint32Array.from({ length: rows }, (_, row) => row);
    withIndices(machine, everyRow, rows, (order) => kernels.predict(network, order, rows, at));
    return heap.floats(at, rows * width).slice();
  } finally {
    heap.free(at);
  }
}

function optimizerRecord({ localLearningRate: learningRate, optimizer }: LocalTraining): OptimizerRecord {
  if (optimizer.kind === "adam") {
    const { beta1, beta2, epsilon } = optimizer;
    return { rule: "adam", learningRate, beta1, beta2, epsilon };
  }
  const beta1 = optimizer.kind === "momentum" ? optimizer.momentum : 0;
  return { rule: optimizer.kind, learningRate, beta1, beta2: 0, epsilon: 0 };
}
