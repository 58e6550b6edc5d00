import type { LocalTraining } from "../../../../../protocol/local-training.ts";
import { type ModelSpec, targetsPerRow } from "../../../../../protocol/model.ts";
import { type Buffers, VEC4_BYTES } from "../../buffers.ts";
import { padRows, type WebgpuMatrix } from "../../matrix.ts";
import type { Plan } from "../plan.ts";
import { STEP_STRIDE } from "../schedule.ts";
import { type ActivationPlan, planActivation } from "./activation.ts";
import { stepKernel } from "./optimizer.ts";

/** Parts that one submit may hold. */
export const MAX_PARTS = 1024;

const TERMS_BYTES = 16; // of `Terms` in terms.wgsl
const MAX_SQUARE_SUMS = 4096;
const SUMMED_SQUARES = 16; // vec4s of a gradient that are worth an invocation of their own

/** What a network works on. */
export interface NetworkInput {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  readonly plan: Plan;
  readonly x: WebgpuMatrix;
  /** As `checkedTargets` and `checkedClassWeights` give them. */
  readonly targets: Uint32Array<ArrayBuffer>;
  readonly classWeights: Float32Array<ArrayBuffer> | null;
}

/** What finds the norm of a gradient. */
export interface ClipBuffers {
  /** Sums of squares, those of each group one after another. */
  readonly sums: GPUBuffer;
  /** How many of them each group has. */
  readonly counts: readonly number[];
  readonly shapes: readonly GPUBuffer[];
  readonly scale: GPUBuffer;
}

/** The device memory of a network; arrays go by layer or by parameter group. */
export interface NetworkBuffers {
  readonly parameters: readonly GPUBuffer[];
  /** State vectors of each group, as many as the optimiser keeps. */
  readonly states: readonly (readonly GPUBuffer[])[];
  /** Row slices of the gradient. */
  readonly partials: readonly GPUBuffer[];
  readonly gradients: readonly GPUBuffer[];
  /** Outputs of each layer, or the derivatives that take their place. */
  readonly units: readonly GPUBuffer[];
  /** Derivatives of the activation of each hidden layer; none where a kernel of its own is not needed. */
  readonly slopes: readonly GPUBuffer[];
  /** Running sum of the losses of every row of a part. */
  readonly losses: GPUBuffer;
  readonly targets: GPUBuffer;
  readonly classWeights: GPUBuffer;
  readonly order: GPUBuffer;
  readonly gathered: GPUBuffer;
  readonly gatherShape: GPUBuffer;
  readonly layerShapes: readonly GPUBuffer[];
  readonly clip: ClipBuffers | null;
  readonly terms: GPUBuffer;
  readonly steps: GPUBuffer;
  /** In the place of what is off. */
  readonly nothing: GPUBuffer;
}

/**
 * Allocates a network's memory from `buffers`.
 *
 * @throws {AstroScaleError} `too_large` when the GPU has no buffer of a needed size
 */
export function allocateNetwork(buffers: Buffers, input: NetworkInput): NetworkBuffers {
  const { model, training, plan, x, targets, classWeights } = input;
  const { layers, groups, slices, partRows, slots } = plan;
  const activation = planActivation(model, training);
  const nothing = buffers.storage("nothing", VEC4_BYTES);
  const stateVectors = Array.from({ length: stepKernel(training).states }, () =>
    allocateGroups(buffers, plan, { label: "optimiser state" }),
  );
  const units = layers.map(({ outputs4 }) => buffers.storage("units", partRows * outputs4 * VEC4_BYTES));
  const activated = activation.constants ? layers.slice(0, -1) : [];
  return {
    parameters: allocateGroups(buffers, plan, { label: "parameters" }),
    states: groups.map((_, g) => stateVectors.flatMap((vector) => vector[g] ?? [])),
    partials: allocateGroups(buffers, plan, { label: "partial gradients", copies: slices }),
    gradients: allocateGroups(buffers, plan, { label: "gradient" }),
    units,
    slopes: activated.map(({ outputs4 }) => buffers.storage("slopes", partRows * outputs4 * VEC4_BYTES)),
    losses: buffers.storage("losses", partRows * 4),
    targets: buffers.filled("targets", targetRows(model, targets, x.rows)),
    classWeights: classWeights ? buffers.filled("class weights", classWeights) : nothing,
    order: buffers.storage("order", slots * 4),
    gathered: buffers.storage("gathered rows", slots * x.cols4 * VEC4_BYTES),
    gatherShape: buffers.uniform("gather-rows", 8),
    layerShapes: layers.map((_, l) => buffers.shape("layer", layerWords(plan, activation, l))),
    clip: training.gradientClipNorm === null ? null : allocateClip(buffers, plan),
    terms: buffers.uniform("terms", TERMS_BYTES),
    steps: buffers.uniform("steps", MAX_PARTS * STEP_STRIDE),
    nothing,
  };
}

/** A buffer for each parameter group, with room for `copies` of its values. @throws as `Buffers.storage` */
export function allocateGroups(
  buffers: Buffers,
  { groups }: Plan,
  { label, copies = 1 }: { readonly label: string; readonly copies?: number },
): readonly GPUBuffer[] {
  return groups.map((size4) => buffers.storage(label, copies * size4 * VEC4_BYTES));
}

function allocateClip(buffers: Buffers, { groups }: Plan): ClipBuffers {
  const counts = groups.map((size4) => Math.min(Math.ceil(size4 / SUMMED_SQUARES), MAX_SQUARE_SUMS));
  const firsts = counts.map((_, g) => counts.slice(0, g).reduce((sum, count) => sum + count, 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return {
    sums: buffers.storage("sums of squares", total * 8),
    counts,
    shapes: counts.map((count, g) => buffers.shape("sum-of-squares", [firsts[g] ?? 0, count])),
    scale: buffers.storage("clip scale", VEC4_BYTES),
  };
}

/** `Layer` of layer.wgsl. */
function layerWords({ layers, groups, slices }: Plan, { fused }: ActivationPlan, l: number): number[] {
  const layer = layers[l];
  if (layer === undefined) throw new Error(`unreachable: no layer ${l}`);
  const { inputs4, outputs4, outputs, parametersAt, group } = layer;
  const relu = fused && l + 1 < layers.length ? 1 : 0;
  const gathered = l === 0 ? 1 : 0;
  const mask = fused && l > 0 ? 1 : 0;
  return [inputs4, outputs4, outputs, parametersAt, relu, gathered, slices, groups[group] ?? 0, mask, l];
}

/** Targets as their head's kernel reads them: classes in one piece, rows of values padded to whole vec4s. */
function targetRows(
  model: ModelSpec,
  words: Uint32Array<ArrayBuffer>,
  rows: number,
): Uint32Array<ArrayBuffer> {
  return model.head === "softmax-cross-entropy" ? words : padRows(words, rows, targetsPerRow(model));
}
