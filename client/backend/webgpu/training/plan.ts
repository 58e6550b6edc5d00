import { type LayerLayout, type ModelSpec, parameterLayout } from "../../../../protocol/model.ts";
import { VEC4_BYTES } from "../buffers.ts";

/** Rows of the tiles that kernels compute: batches are padded to whole tiles. */
export const TILE_ROWS = 8;

const MAX_SLICES = 8;
const SLICE_ROWS = 32;
const MAX_PARTIAL_BYTES = 2 ** 28;
const MAX_LAYER_BYTES = 2 ** 25;
const MAX_GATHERED_BYTES = 2 ** 23;
const FLOP_PER_PARAMETER = 6; // and row: a multiply-add forwards, two backwards
const WORTHWHILE_ROWS = 1024; // where a longer part no longer saves dispatches worth mentioning

/** Where one layer lies on the device: widths in vec4s, parameters in a group of neighbouring layers. */
export interface LayerPlan extends LayerLayout {
  readonly inputs4: number;
  readonly outputs4: number;
  readonly group: number;
  /** First vec4 of the layer's `[4 * inputs4 + 1, outputs4]` parameters in its group. */
  readonly parametersAt: number;
}

/** How a model is laid out on a device. */
export interface Plan {
  readonly layers: readonly LayerPlan[];
  /** vec4s of parameters in each group: one group, unless a buffer cannot hold a gradient of all layers. */
  readonly groups: readonly number[];
  /** Row slices in which a gradient is summed. */
  readonly slices: number;
  /** Rows of activations that fit the device at once, in whole tiles. */
  readonly partRows: number;
  /** Rows gathered for one submit: an epoch's where they fit, and one part's in any case. */
  readonly slots: number;
}

/** What a plan must respect. */
export interface PlanLimits {
  /** Rows of the training set. */
  readonly rows: number;
  readonly batchSize: number;
  /** The largest buffer a kernel can see, in bytes. */
  readonly maxBindingBytes: number;
  /** Rows of activations to hold at once, in whole tiles; as many as are worth it where left out. */
  readonly maxRowsAtOnce?: number | undefined;
  /** Floating-point operations that one part of a training step may take, but for its first tile. */
  readonly maxPartFlop?: number;
}

/** Rounds up to whole tiles. */
export function wholeTiles(rows: number): number {
  return Math.ceil(rows / TILE_ROWS) * TILE_ROWS;
}

/** The layout of `model`; depends on nothing but its arguments, so that results repeat to the bit. */
export function planModel(model: ModelSpec, limits: PlanLimits): Plan {
  const { rows, batchSize, maxBindingBytes } = limits;
  const padded = parameterLayout(model).map((layer) => {
    const inputs4 = Math.ceil(layer.inputs / 4);
    const outputs4 = Math.ceil(layer.outputs / 4);
    return { ...layer, inputs4, outputs4, size: (4 * inputs4 + 1) * outputs4 };
  });
  const largest = padded.reduce((most, { size }) => Math.max(most, size), 0) * VEC4_BYTES;
  const total = padded.reduce((sum, { size }) => sum + size, 0) * VEC4_BYTES;
  const slices = atLeastOne(
    Math.min(
      MAX_SLICES,
      Math.ceil(batchSize / SLICE_ROWS),
      Math.floor(maxBindingBytes / largest),
      Math.floor(MAX_PARTIAL_BYTES / total),
    ),
  );

  const groups: number[] = [];
  const layers = padded.map(({ size, ...layer }) => {
    const filled = groups.at(-1);
    if (filled === undefined || (filled + size) * slices * VEC4_BYTES > maxBindingBytes) groups.push(0);
    const group = groups.length - 1;
    const parametersAt = groups[group] ?? 0;
    groups[group] = parametersAt + size;
    return { ...layer, group, parametersAt };
  });

  const partRows = planPartRows(layers, limits);
  const rowBytes = (layers[0]?.inputs4 ?? 1) * VEC4_BYTES;
  const fitting = Math.floor(Math.min(maxBindingBytes, MAX_GATHERED_BYTES) / rowBytes);
  const epoch = Math.ceil(rows / batchSize) * wholeTiles(batchSize);
  return { layers, groups, slices, partRows, slots: Math.max(Math.min(fitting, epoch), partRows) };
}

function planPartRows(
  layers: readonly LayerPlan[],
  { rows, batchSize, maxBindingBytes, maxRowsAtOnce = Infinity, maxPartFlop = Infinity }: PlanLimits,
): number {
  const widest = layers.reduce((most, { inputs4, outputs4 }) => Math.max(most, inputs4, outputs4), 0);
  const parameters = layers.reduce((sum, { inputs4, outputs4 }) => sum + 16 * inputs4 * outputs4, 0);
  const fitting = Math.min(
    Math.min(maxBindingBytes, MAX_LAYER_BYTES) / (widest * VEC4_BYTES),
    maxPartFlop / (FLOP_PER_PARAMETER * parameters),
    maxRowsAtOnce,
  );
  const wanted = wholeTiles(atLeastOne(Math.min(Math.max(batchSize, WORTHWHILE_ROWS), rows)));
  return Math.min(atLeastOne(Math.floor(fitting / TILE_ROWS)) * TILE_ROWS, wanted);
}

/** Device values of each group, from the flat vector of `parameterLayout`; padding is 0. */
export function packParameters(plan: Plan, flat: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>[] {
  const groups = plan.groups.map((size4) => new Float32Array(size4 * 4));
  for (const row of parameterRows(plan)) {
    groups[row.group]?.set(flat.subarray(row.flatAt, row.flatAt + row.length), row.deviceAt);
  }
  return groups;
}

/** The flat vector of `parameterLayout`, from device values of each group. */
export function unpackParameters(
  plan: Plan,
  groups: readonly Float32Array<ArrayBuffer>[],
): Float32Array<ArrayBuffer> {
  const length = plan.layers.reduce((end, { biasAt, outputs }) => Math.max(end, biasAt + outputs), 0);
  const flat = new Float32Array(length);
  for (const row of parameterRows(plan)) {
    const values = groups[row.group]?.subarray(row.deviceAt, row.deviceAt + row.length);
    if (values !== undefined) flat.set(values, row.flatAt);
  }
  return flat;
}

interface ParameterRow {
  readonly group: number;
  readonly flatAt: number;
  readonly deviceAt: number;
  readonly length: number;
}

/** Rows of weights, and biases, that lie in one piece on both sides. */
function* parameterRows({ layers }: Plan): Generator<ParameterRow> {
  for (const { inputs, outputs, inputs4, outputs4, group, parametersAt, weightAt } of layers) {
    for (let i = 0; i <= inputs; i++) {
      const deviceRow = i === inputs ? 4 * inputs4 : i;
      const deviceAt = 4 * (parametersAt + deviceRow * outputs4);
      yield { group, flatAt: weightAt + i * outputs, deviceAt, length: outputs };
    }
  }
}

function atLeastOne(count: number): number {
  return Math.max(count, 1);
}
