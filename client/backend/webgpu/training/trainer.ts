import { AstroScaleError } from "../../../../protocol/errors.ts";
import type { LocalTraining } from "../../../../protocol/local-training.ts";
import { type ModelSpec, parameterCount } from "../../../../protocol/model.ts";
import type { LocalStart, LossGradient, Trainer, TrainerRequest } from "../../backend.ts";
import { checkedClassWeights, checkedTargets, checkIndices, checkRates } from "../../training-set.ts";
import { Buffers, VEC4_BYTES } from "../buffers.ts";
import type { Gpu } from "../device.ts";
import { ownMatrix, unpadRows, type WebgpuMatrix } from "../matrix.ts";
import { openReadback, readBytes } from "../readback.ts";
import type { TunedPipelines } from "../tuned-pipelines.ts";
import { dropoutScalars, NO_DROPOUT } from "./network/activation.ts";
import { LocalTerms } from "./network/local-terms.ts";
import { Network } from "./network/network.ts";
import {
  allocateNetwork,
  MAX_PARTS,
  type NetworkBuffers,
  type NetworkInput,
} from "./network/network-buffers.ts";
import { compileNetwork } from "./network/network-kernels.ts";
import { stepScalars } from "./network/optimizer.ts";
import { Update } from "./network/update.ts";
import { Pace, workOf } from "./pace.ts";
import { type Submit, submitPaced } from "./paced-submits.ts";
import { type Plan, packParameters, planModel, unpackParameters, wholeTiles } from "./plan.ts";
import { encodeSteps, type Part, partsOf, type StepRecord, slotsOf } from "./schedule.ts";

/** Of a part: some 50 ms on a software adapter, where smaller parts cost a third more; a moment on a GPU. */
const MAX_PART_FLOP = { software: 2 ** 28, hardware: 2 ** 34 };

/**
 * A trainer whose parameters, optimiser state and activations stay on the device. Its parameters are 0 until
 * `load`. Calls are done in turn, each before the next begins; the set must not change under a pending one.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set or the class weights are not what the model takes;
 * `too_large` when the GPU has no buffer of a needed size; `out_of_memory`; `device_lost`
 */
export async function createWebgpuTrainer(
  gpu: Gpu,
  pipelines: TunedPipelines,
  { model, training, set, maxRowsAtOnce }: TrainerRequest,
): Promise<Trainer> {
  const targets = checkedTargets(model, set);
  const classWeights = checkedClassWeights(model, training);
  const x = ownMatrix(set.x);
  const plan = planModel(model, {
    rows: x.rows,
    batchSize: training.batchSize,
    maxBindingBytes: gpu.maxBindingBytes,
    maxRowsAtOnce,
    maxPartFlop: MAX_PART_FLOP[gpu.isSoftware ? "software" : "hardware"],
  });
  const kernels = await compileNetwork(pipelines, model, training);
  const input: NetworkInput = { model, training, plan, x, targets, classWeights };
  const buffers = new Buffers(gpu);
  return gpu.allocated(
    () => {
      const memory = allocateNetwork(buffers, input);
      const network = new Network(gpu, kernels, memory, input);
      const update = new Update(gpu, kernels, memory, plan);
      return new WebgpuTrainer({ gpu, input, buffers, memory, network, update });
    },
    () => buffers.dispose(),
  );
}

interface TrainerParts {
  readonly gpu: Gpu;
  readonly input: NetworkInput;
  /** Owner of `memory`. */
  readonly buffers: Buffers;
  readonly memory: NetworkBuffers;
  readonly network: Network;
  readonly update: Update;
}

/** How batches are gone through: with a step at the rate of each, or `null` for the gradient of one alone. */
interface Batches {
  readonly batchSize: number;
  readonly rates: Float32Array<ArrayBuffer> | null;
}

class WebgpuTrainer implements Trainer {
  readonly #gpu: Gpu;
  readonly #model: ModelSpec;
  readonly #training: LocalTraining;
  readonly #plan: Plan;
  readonly #x: WebgpuMatrix;
  readonly #buffers: Buffers;
  readonly #memory: NetworkBuffers;
  readonly #network: Network;
  readonly #update: Update;
  readonly #terms: LocalTerms;
  readonly #pace = new Pace();
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;
  /** Why what was loaded last is not there. */
  #loadFailure: { readonly error: unknown } | null = null;
  /** Optimiser steps since `load`. */
  #steps = 0;
  #dropoutSeed = 0;

  constructor({ gpu, input, buffers, memory, network, update }: TrainerParts) {
    this.#gpu = gpu;
    this.#model = input.model;
    this.#training = input.training;
    this.#plan = input.plan;
    this.#x = input.x;
    this.#buffers = buffers;
    this.#memory = memory;
    this.#network = network;
    this.#update = update;
    this.#terms = new LocalTerms(gpu, input.plan);
  }

  load(start: LocalStart): void {
    const count = parameterCount(this.#model);
    const { parameters, correction } = start;
    if (parameters.length !== count) {
      throw new AstroScaleError("shape_mismatch", `${parameters.length} parameters, the model has ${count}`);
    }
    if (correction !== null && correction.length !== count) {
      throw new AstroScaleError(
        "shape_mismatch",
        `a correction of ${correction.length}, the model has ${count}`,
      );
    }
    // The caller's vectors are his again when this returns.
    const own = { ...start, parameters: parameters.slice(), correction: correction?.slice() ?? null };
    this.#turn = this.#turn.then(() => this.#load(own));
  }

  epoch(order: Uint32Array<ArrayBuffer>, rates: Float32Array<ArrayBuffer>): Promise<number> {
    const { batchSize } = this.#training;
    return this.#inTurn(async () => {
      checkRates(rates, order.length, batchSize);
      return this.#run(order, { batchSize, rates });
    });
  }

  gradient(rows: Uint32Array<ArrayBuffer>): Promise<LossGradient> {
    return this.#inTurn(async () => {
      if (rows.length === 0) return { loss: 0, gradient: new Float32Array(parameterCount(this.#model)) };
      const loss = await this.#run(rows, { batchSize: rows.length, rates: null });
      return { loss, gradient: await this.#readParameters(this.#memory.gradients) };
    });
  }

  outputs(): Promise<Float32Array<ArrayBuffer>> {
    return this.#inTurn(() => this.#outputs());
  }

  parameters(): Promise<Float32Array<ArrayBuffer>> {
    return this.#inTurn(() => this.#readParameters(this.#memory.parameters));
  }

  dispose(): void {
    this.#disposed = true;
    this.#buffers.dispose();
    this.#terms.dispose();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      this.#checkAlive();
      if (this.#loadFailure) throw this.#loadFailure.error;
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new AstroScaleError("device_lost", "the trainer was disposed");
  }

  /** Never rejects: nobody waits for a load, and whatever comes after it fails in its place. */
  async #load(start: LocalStart): Promise<void> {
    try {
      if (this.#disposed) return;
      const terms = await this.#terms.reserve(start);
      if (this.#disposed) {
        this.#terms.dispose();
        return;
      }
      this.#update.hold(terms);
      this.#write(start);
      this.#loadFailure = null;
    } catch (error) {
      this.#loadFailure = { error };
    }
  }

  #write(start: LocalStart): void {
    const { device } = this.#gpu;
    const groups = packParameters(this.#plan, start.parameters);
    this.#memory.parameters.forEach((buffer, g) => {
      const values = groups[g];
      if (values) device.queue.writeBuffer(buffer, 0, values);
    });
    this.#terms.write(start, this.#training, this.#memory.terms);
    const encoder = device.createCommandEncoder();
    for (const state of this.#memory.states.flat()) encoder.clearBuffer(state);
    device.queue.submit([encoder.finish()]);
    this.#steps = 0;
    this.#dropoutSeed = start.dropoutSeed;
  }

  /** Runs batches over the rows of `order`. @returns the mean loss of its rows */
  async #run(order: Uint32Array<ArrayBuffer>, batches: Batches): Promise<number> {
    checkIndices(order, this.#x.rows, "row");
    if (order.length === 0) return 0;
    const parts = partsOf(order.length, batches.batchSize, this.#plan.partRows);
    let next = 0;
    await this.#submit(() => {
      if (next === parts.length) return null;
      const fitting = this.#fitting(parts, next);
      const submit = this.#encodeParts(fitting, order, { ...batches, first: next === 0 });
      next += fitting.length;
      return submit;
    });
    this.#checkAlive();
    const losses = new Float32Array(await readBytes(this.#gpu, this.#memory.losses, this.#plan.partRows * 4));
    return losses.reduce((sum, loss) => sum + loss, 0) / order.length;
  }

  #submit(next: () => Submit | null): Promise<void> {
    const checked = (): Submit | null => {
      this.#checkAlive();
      return next();
    };
    return submitPaced(this.#gpu, { pace: this.#pace, next: checked });
  }

  /** As many parts from `next` as make a submit. */
  #fitting(parts: readonly Part[], next: number): Part[] {
    const most = Math.min(this.#pace.units(this.#stepWork(parts[next])), MAX_PARTS);
    const fitting: Part[] = [];
    let slots = 0;
    for (const part of parts.slice(next, next + most)) {
      slots += wholeTiles(part.rows);
      if (slots > this.#plan.slots) break;
      fitting.push(part);
    }
    return fitting;
  }

  /** A step is a forward pass, twice as much backwards, the loss and the optimiser's step. */
  #stepWork(part: Part | undefined): number {
    const work = 3 * this.#network.forwardWork(part?.rows ?? 0) + this.#update.work;
    return workOf(work, this.#network.gradientDispatches + 1 + this.#update.dispatches);
  }

  #encodeParts(
    parts: readonly Part[],
    order: Uint32Array<ArrayBuffer>,
    batches: Batches & { readonly first: boolean },
  ): Submit {
    const { device } = this.#gpu;
    const { slots, firstSlots } = slotsOf(parts, order);
    device.queue.writeBuffer(this.#memory.order, 0, slots);
    device.queue.writeBuffer(this.#memory.gatherShape, 0, Uint32Array.of(slots.length, this.#x.cols4));
    const records = parts.map((part, p) => this.#record(part, firstSlots[p] ?? 0, batches));
    device.queue.writeBuffer(this.#memory.steps, 0, encodeSteps(records));

    const encoder = device.createCommandEncoder();
    if (batches.first) encoder.clearBuffer(this.#memory.losses);
    const pass = encoder.beginComputePass();
    this.#network.gather(pass, slots.length);
    parts.forEach((part, index) => {
      this.#network.lossGradient(pass, { index, rows: part.rows });
      this.#update.encode(pass, { index, part, steps: batches.rates !== null });
    });
    pass.end();
    const work = parts.reduce((sum, part) => sum + this.#stepWork(part), 0);
    return { commands: encoder.finish(), work };
  }

  /** What the kernels are told of a part; counts the step that its last part takes. */
  #record(part: Part, firstRow: number, { batchSize, rates }: Batches): StepRecord {
    const { optimizer } = this.#training;
    const batch = Math.floor(part.at / batchSize);
    const taken = this.#steps;
    const scalars = stepScalars(optimizer, rates?.[batch] ?? 0, taken + 1);
    const dropout = rates === null ? NO_DROPOUT : dropoutScalars(this.#training, this.#dropoutSeed);
    if (rates !== null && part.last) this.#steps += 1;
    return { part, firstRow, batchRow: part.at - batch * batchSize, taken, scalars, dropout };
  }

  async #outputs(): Promise<Float32Array<ArrayBuffer>> {
    const { rows } = this.#x;
    const { outputs } = this.#model;
    if (rows === 0) return new Float32Array(0);
    const rowBytes = Math.ceil(outputs / 4) * VEC4_BYTES;
    const readback = openReadback(this.#gpu, rows * rowBytes);
    const parts = partsOf(rows, this.#plan.partRows, this.#plan.partRows);
    let next = 0;
    try {
      await this.#submit(() => {
        if (next === parts.length) return null;
        const most = Math.min(this.#pace.units(this.#forwardWork(parts[next])), MAX_PARTS);
        const fitting = parts.slice(next, next + most);
        next += fitting.length;
        return this.#encodeOutputs(fitting, readback.buffer, rowBytes);
      });
      const words = new Uint32Array(await readback.bytes());
      return new Float32Array(unpadRows(words, rows, outputs).buffer);
    } finally {
      this.#gpu.destroyBuffer(readback.buffer);
    }
  }

  #forwardWork(part: Part | undefined): number {
    return workOf(this.#network.forwardWork(part?.rows ?? 0), this.#network.forwardDispatches);
  }

  #encodeOutputs(parts: readonly Part[], target: GPUBuffer, rowBytes: number): Submit {
    const { device } = this.#gpu;
    const records = parts.map((part) =>
      this.#record(part, part.at, { batchSize: this.#plan.partRows, rates: null }),
    );
    device.queue.writeBuffer(this.#memory.steps, 0, encodeSteps(records));
    const encoder = device.createCommandEncoder();
    const last = this.#memory.units.at(-1);
    parts.forEach(({ at, rows }, index) => {
      const pass = encoder.beginComputePass();
      this.#network.forwardOfSet(pass, { index, rows });
      pass.end();
      if (last) encoder.copyBufferToBuffer(last, 0, target, at * rowBytes, rows * rowBytes);
    });
    const work = parts.reduce((sum, part) => sum + this.#forwardWork(part), 0);
    return { commands: encoder.finish(), work };
  }

  async #readParameters(groups: readonly GPUBuffer[]): Promise<Float32Array<ArrayBuffer>> {
    const bytes = await Promise.all(
      groups.map((buffer, g) => readBytes(this.#gpu, buffer, (this.#plan.groups[g] ?? 0) * VEC4_BYTES)),
    );
    return unpackParameters(
      this.#plan,
      bytes.map((group) => new Float32Array(group)),
    );
  }
}
