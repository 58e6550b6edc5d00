import type { ModelSpec } from "../../../protocol/model.ts";
import type { Kernels } from "../../../wasm/index.ts";
import {
  LAYER_BYTES,
  NETWORK_BYTES,
  OPTIMIZER_BYTES,
  packedBytes,
  roundUp8,
  writeLayer,
  writeNetwork,
} from "../../../wasm/records.ts";
import type { TrainingSet } from "../backend.ts";
import { checkedTargets } from "../training-set.ts";
import type { Heap } from "./heap.ts";
import { wasmMatrix } from "./matrix.ts";
import { type PaddedLayer, paddedLayout } from "./padded-parameters.ts";

/** Rows whose activations are held at once: of 64 values they are 32 KiB, so a whole slice stays in the L2 cache. */
const SLICE_ROWS = 128;

/** The kernels and the heap in their memory. */
export interface WasmMachine {
  readonly kernels: Kernels;
  readonly heap: Heap;
}

/** A network in WebAssembly memory: everything a local epoch touches, in one block. Addresses in bytes. */
export interface ResidentNetwork {
  /** What to free. */
  readonly block: number;
  /** The network record; the optimiser record at `optimizer` is for the trainer to write. */
  readonly network: number;
  readonly optimizer: number;
  readonly parameters: number;
  readonly gradient: number;
  readonly first: number;
  readonly second: number;
  readonly layers: readonly PaddedLayer[];
  /** Padded parameters, in values. */
  readonly length: number;
}

/**
 * Room for a model and its training set's targets, with its records written and everything else 0.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes; `device_lost` when
 * memory cannot grow so far
 */
export function placeNetwork(
  { kernels, heap }: WasmMachine,
  model: ModelSpec,
  set: TrainingSet,
): ResidentNetwork {
  const targets = checkedTargets(model, set);
  const { layers, length } = paddedLayout(model);
  const parameterBytes = length * 4;
  const sizes = {
    network: NETWORK_BYTES,
    optimizer: OPTIMIZER_BYTES,
    layers: layers.length * LAYER_BYTES,
    zeros: Math.max(...layers.flatMap(({ inputs, rowLength }) => [roundUp8(inputs), rowLength])) * 4,
    targets: targets.byteLength,
    slice: SLICE_ROWS * roundUp8(model.inputs) * 4,
    activations: layers.reduce((sum, { rowLength }) => sum + SLICE_ROWS * rowLength * 4, 0),
    packed: Math.max(...layers.map(({ inputs, outputs }) => packedBytes(inputs, outputs, SLICE_ROWS))),
    parameters: parameterBytes,
    gradient: parameterBytes,
    first: parameterBytes,
    second: parameterBytes,
  };
  const { at, block } = carve(heap, sizes);
  heap.words(at.targets, targets.length).set(targets);
  writeNetwork(kernels.memory, at.network, {
    ...at,
    x: wasmMatrix(set.x).at,
    layerCount: layers.length,
    head: model.head,
    sliceRows: SLICE_ROWS,
    parameterBytes,
  });
  let y = at.activations;
  layers.forEach(({ inputs, outputs, weightAt, biasAt, rowLength }, l) => {
    writeLayer(kernels.memory, at.layers + l * LAYER_BYTES, {
      inputs,
      outputs,
      weight: at.parameters + weightAt * 4,
      bias: at.parameters + biasAt * 4,
      weightGradient: at.gradient + weightAt * 4,
      biasGradient: at.gradient + biasAt * 4,
      y,
    });
    y += SLICE_ROWS * rowLength * 4;
  });
  return { ...at, block, layers, length };
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
