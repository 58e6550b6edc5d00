import {
  DROPOUT_BYTES,
  JOB_BYTES,
  LAYER_BYTES,
  NETWORK_BYTES,
  OPTIMIZER_BYTES,
  packedBytes,
  roundUp8,
  squaresBytes,
  writeLayer,
  writeNetwork,
} from "../../../wasm/records.ts";
import type { TrainerRequest } from "../backend.ts";
import { checkedClassWeights, checkedTargets } from "../training-set.ts";
import type { Heap } from "./heap.ts";
import type { WasmMachine } from "./machine.ts";
import { wasmMatrix } from "./matrix.ts";
import { type PaddedLayer, paddedLayout } from "./padded-parameters.ts";

/** Rows whose activations are held at once: of 64 values they are 32 KiB, so a whole slice stays in the L2 cache. */
const SLICE_ROWS = 128;
/** Parts of a batch with a gradient of their own, which is how many lanes can share a batch. */
const MAX_GROUPS = 16;
/** All of a batch's gradients together. */
const MAX_GRADIENTS_BYTES = 64 * 2 ** 20;

/** A network in WebAssembly memory: everything a local epoch touches, in one block. Addresses in bytes. */
export interface ResidentNetwork {
  /** What to free. */
  readonly block: number;
  /** The network record; those of the optimiser, of dropout and of jobs are for the trainer to write. */
  readonly network: number;
  readonly optimizer: number;
  readonly dropout: number;
  readonly job: number;
  readonly parameters: number;
  /** Where a job leaves the gradient. */
  readonly gradients: number;
  /** The optimiser's state: none, one or two vectors of `length` values, of `stateLength` together. */
  readonly state: number;
  readonly stateLength: number;
  readonly layers: readonly PaddedLayer[];
  /** Padded parameters, in values. */
  readonly length: number;
}

/**
 * Room for a model and its training set's targets, with its records written and everything else 0.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes; `out_of_memory`
 */
export function placeNetwork(machine: WasmMachine, request: TrainerRequest): ResidentNetwork {
  const { kernels, heap, lanes } = machine;
  const { model, training, set } = request;
  const targets = checkedTargets(model, set);
  const classWeights = checkedClassWeights(model, training);
  const { layers, length } = paddedLayout(model);
  const extent = extentOf(request, layers, length * 4);
  const { parameterBytes, maxGroups, scratchBytes } = extent;
  const stateLength = length * STATES[training.optimizer.kind];
  const { at, block } = carve(heap, {
    network: NETWORK_BYTES,
    optimizer: OPTIMIZER_BYTES,
    dropout: DROPOUT_BYTES,
    job: JOB_BYTES,
    layers: layers.length * LAYER_BYTES,
    zeros: Math.max(...layers.flatMap(({ inputs, rowLength }) => [roundUp8(inputs), rowLength])) * 4,
    targets: targets.byteLength + 12,
    classWeights: classWeights === null ? 0 : classWeights.byteLength,
    losses: maxGroups * 8,
    squares: squaresBytes(parameterBytes),
    scratch: lanes * scratchBytes,
    parameters: parameterBytes,
    gradients: maxGroups * parameterBytes,
    state: stateLength * 4,
  });
  heap.words(at.targets, targets.length).set(targets);
  if (classWeights !== null) heap.floats(at.classWeights, classWeights.length).set(classWeights);
  writeNetwork(kernels.memory, at.network, {
    ...at,
    ...extent,
    huberDelta: training.huberDelta,
    layerCount: layers.length,
    head: model.head,
    activation: model.activation,
    x: wasmMatrix(set.x).at,
    classWeights: classWeights === null ? 0 : at.classWeights,
  });
  writeLayers(kernels.memory, layers, { ...at, ...extent, derivatives: keepsDerivatives(request) });
  return { ...at, block, stateLength, layers, length };
}

/** Where layers' records go and what they name. */
interface LayerPlaces extends Extent {
  readonly layers: number;
  readonly parameters: number;
  /** Whether activations have derivatives beside them. */
  readonly derivatives: boolean;
}

function writeLayers(
  memory: WebAssembly.Memory,
  layers: readonly PaddedLayer[],
  { layers: at, parameters, activations, sliceRows, derivatives }: LayerPlaces,
): void {
  let y = activations;
  layers.forEach(({ inputs, outputs, weightAt, biasAt, rowLength }, l) => {
    const bytes = sliceRows * rowLength * 4;
    writeLayer(memory, at + l * LAYER_BYTES, {
      inputs,
      outputs,
      weight: parameters + weightAt * 4,
      bias: parameters + biasAt * 4,
      weightGradient: weightAt * 4,
      biasGradient: biasAt * 4,
      y,
      derivative: y + bytes,
    });
    y += derivatives ? 2 * bytes : bytes;
  });
}

/** Vectors of state of each optimiser. */
const STATES = { sgd: 0, momentum: 1, nesterov: 1, adam: 2, adamw: 2 } as const;

/** How much is held at once, and the parts of a lane's scratch, in bytes from its start. */
interface Extent {
  readonly parameterBytes: number;
  readonly sliceRows: number;
  readonly maxGroups: number;
  readonly slice: number;
  readonly packed: number;
  readonly activations: number;
  readonly scratchBytes: number;
}

/** Follows from the model, the training and the set alone: it must not depend on the lanes. */
function extentOf(request: TrainerRequest, layers: readonly PaddedLayer[], parameterBytes: number): Extent {
  const { model, training, set, maxRowsAtOnce = SLICE_ROWS } = request;
  const sliceRows = Math.max(4, Math.floor(Math.min(SLICE_ROWS, maxRowsAtOnce) / 4) * 4);
  const slices = Math.ceil(Math.max(training.batchSize, set.x.rows) / sliceRows);
  const affordable = Math.floor(MAX_GRADIENTS_BYTES / parameterBytes);
  const packed = sliceRows * roundUp8(model.inputs) * 4;
  const activations =
    packed + Math.max(...layers.map(({ inputs, outputs }) => packedBytes(inputs, outputs, sliceRows)));
  const width = layers.reduce((sum, { rowLength }) => sum + rowLength, 0);
  const activationBytes = sliceRows * width * (keepsDerivatives(request) ? 8 : 4);
  return {
    parameterBytes,
    sliceRows,
    maxGroups: Math.max(1, Math.min(MAX_GROUPS, slices, affordable)),
    slice: 0,
    packed,
    activations,
    scratchBytes: Math.ceil((activations + activationBytes) / 64) * 64,
  };
}

/** Whether a layer's derivatives have room beside its activations. */
function keepsDerivatives({ model, training }: TrainerRequest): boolean {
  return training.dropout > 0 || model.activation === "gelu" || model.activation === "tanh";
}

/** One zeroed block with a part for every size; parts start at multiples of 64, a cache line. */
function carve<Part extends string>(
  heap: Heap,
  sizes: Readonly<Record<Part, number>>,
): { readonly block: number; readonly at: Readonly<Record<Part, number>> } {
  const offsets: Partial<Record<Part, number>> = {};
  let bytes = 0;
  for (const part of Object.keys(sizes) as Part[]) {
    offsets[part] = bytes;
    bytes += Math.ceil(sizes[part] / 64) * 64;
  }
  const block = heap.allocate(bytes + 64);
  heap.words(block, bytes / 4 + 16).fill(0);
  const start = Math.ceil(block / 64) * 64;
  const at = Object.fromEntries(
    Object.entries<number | undefined>(offsets).map(([part, offset]) => [part, start + (offset ?? 0)]),
  );
  return { block, at: at as Readonly<Record<Part, number>> };
}
