import { STEP_BYTES } from "../kernels.ts";
import type { DropoutScalars } from "./network/activation.ts";
import { wholeTiles } from "./plan.ts";

/** Distance of two `Step`s in a uniform buffer: minUniformBufferOffsetAlignment of every device. */
export const STEP_STRIDE = 256;

const PAD = 0xffffffff; // in gather-rows.wgsl: a row of zeros

/** A batch, or as much of one as fits the device. */
export interface Part {
  /** First index of its rows in the order. */
  readonly at: number;
  readonly rows: number;
  /** Rows of the whole batch. */
  readonly batchRows: number;
  /** Whether it begins its batch. */
  readonly fresh: boolean;
  /** Whether it ends its batch. */
  readonly last: boolean;
}

/** The batches of an order of `length` rows, cut where they exceed `partRows`. */
export function partsOf(length: number, batchSize: number, partRows: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0; start < length; start += batchSize) {
    const end = Math.min(start + batchSize, length);
    for (let at = start; at < end; at += partRows) {
      const rows = Math.min(partRows, end - at);
      parts.push({ at, rows, batchRows: end - start, fresh: at === start, last: at + rows === end });
    }
  }
  return parts;
}

/**
 * The gathered rows of `parts`: indices of the order, each part padded to whole tiles with rows of zeros.
 *
 * @returns the slots, and the slot at which each part begins
 */
export function slotsOf(
  parts: readonly Part[],
  order: Uint32Array<ArrayBuffer>,
): { readonly slots: Uint32Array<ArrayBuffer>; readonly firstSlots: readonly number[] } {
  const length = parts.reduce((sum, { rows }) => sum + wholeTiles(rows), 0);
  const slots = new Uint32Array(length).fill(PAD);
  const firstSlots: number[] = [];
  let at = 0;
  for (const part of parts) {
    firstSlots.push(at);
    slots.set(order.subarray(part.at, part.at + part.rows), at);
    at += wholeTiles(part.rows);
  }
  return { slots, firstSlots };
}

/** What an optimiser step needs beyond its gradient. */
export interface StepScalars {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** `1 / (1 - beta1^t)` */
  readonly mScale: number;
  /** `1 / (1 - beta2^t)` */
  readonly vScale: number;
  /** Share of the weights that decays. */
  readonly decay: number;
}

/** One `Step` of `shaders/lib/step.wgsl`. */
export interface StepRecord {
  readonly part: Part;
  readonly firstRow: number;
  /** Place in the whole batch of the part's first row. */
  readonly batchRow: number;
  /** Optimiser steps since `load` before this one. */
  readonly taken: number;
  readonly scalars: StepScalars;
  readonly dropout: DropoutScalars;
}

/** `Step` structs, one every `STEP_STRIDE` bytes. */
export function encodeSteps(steps: readonly StepRecord[]): Uint32Array<ArrayBuffer> {
  const bytes = new ArrayBuffer(steps.length * STEP_STRIDE);
  steps.forEach((step, index) => {
    const { rows, batchRows, fresh } = step.part;
    const { rate, beta1, beta2, epsilon, mScale, vScale, decay } = step.scalars;
    const { seed, dropBelow, keptScale } = step.dropout;
    const words = new Uint32Array(bytes, index * STEP_STRIDE, STEP_BYTES / 4);
    const numbers = new Float32Array(bytes, index * STEP_STRIDE, STEP_BYTES / 4);
    words.set([step.firstRow, rows, wholeTiles(rows), fresh ? 1 : 0]);
    numbers.set([1 / batchRows, rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, mScale, vScale, decay], 4);
    words.set([step.batchRow, step.taken, seed, dropBelow], 14);
    numbers.set([keptScale], 18);
  });
  return new Uint32Array(bytes);
}
