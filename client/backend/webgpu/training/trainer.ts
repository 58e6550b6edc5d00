import { AstroScaleError } from "../../../../protocol/errors.ts";
import { type ModelSpec, parameterCount } from "../../../../protocol/model.ts";
import type { LocalTraining } from "../../../../protocol/tasks.ts";
import type { LossGradient, Trainer, TrainingSet } from "../../backend.ts";
import { checkedTargets, checkIndices } from "../../training-set.ts";
import { Buffers, VEC4_BYTES } from "../buffers.ts";
import type { Gpu } from "../device.ts";
import { ownMatrix, unpadRows, type WebgpuMatrix } from "../matrix.ts";
import type { Pipelines } from "../pipelines.ts";
import { openReadback, readBytes } from "../readback.ts";
import { compileNetwork, Network } from "./network.ts";
import { allocateNetwork, MAX_PARTS, type NetworkBuffers, type NetworkInput } from "./network-buffers.ts";
import { stepScalars } from "./optimizer.ts";
import { Pace, workOf } from "./pace.ts";
import { type Submit, submitPaced } from "./paced-submits.ts";
import { type Plan, packParameters, planModel, unpackParameters, wholeTiles } from "./plan.ts";
import { encodeSteps, type Part, partsOf, type StepRecord, slotsOf } from "./schedule.ts";

/** What a trainer is made for. */
export interface TrainerInput {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  readonly set: TrainingSet;
}

/**
 * A trainer whose parameters, optimiser state and activations stay on the device. Its parameters are 0 until
 * `load`. Calls are done in turn, each before the next begins; the set must not change under a pending one.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes; `too_large` when the
 * GPU has no buffer of a needed size; `device_lost` when the device goes away or has no memory left
 */
export async function createWebgpuTrainer(
  gpu: Gpu,
  pipelines: Pipelines,
  { model, training, set }: TrainerInput,
): Promise<Trainer> {
  checkedTargets(model, set);
  const x = ownMatrix(set.x);
  const { batchSize } = training;
  const { maxBindingBytes } = gpu;
  const plan = planModel(model, { rows: x.rows, batchSize, maxBindingBytes });
  const kernels = await compileNetwork(pipelines, model, training);
  const input: NetworkInput = { plan, training, x, targets: set.targets };
  const buffers = new Buffers(gpu);
  return gpu.allocated(
    () => {
      const memory = allocateNetwork(buffers, input);
      const network = new Network(gpu, kernels, memory, input);
      return new WebgpuTrainer({ gpu, model, input, buffers, memory, network });
    },
    () => buffers.dispose(),
  );
}

interface TrainerParts {
  readonly gpu: Gpu;
  readonly model: ModelSpec;
  readonly input: NetworkInput;
  /** Owner of `memory`. */
  readonly buffers: Buffers;
  readonly memory: NetworkBuffers;
  readonly network: Network;
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
  readonly #pace = new Pace();
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;
  /** Optimiser steps since `load`. */
  #steps = 0;

  constructor({ gpu, model, input, buffers, memory, network }: TrainerParts) {
    this.#gpu = gpu;
    this.#model = model;
    this.#training = input.training;
    this.#plan = input.plan;
    this.#x = input.x;
    this.#buffers = buffers;
    this.#memory = memory;
    this.#network = network;
  }

  load(parameters: Float32Array<ArrayBuffer>): void {
    const count = parameterCount(this.#model);
    if (parameters.length !== count) {
      throw new AstroScaleError("shape_mismatch", `${parameters.length} parameters, the model has ${count}`);
    }
    const groups = packParameters(this.#plan, parameters);
    // A disposed trainer has nothing to load into, and nobody to tell.
    this.#inTurn(async () => this.#write(groups)).catch(() => {});
  }

  epoch(order: Uint32Array<ArrayBuffer>): Promise<number> {
    return this.#inTurn(() => this.#run(order, { batchSize: this.#training.batchSize, update: true }));
  }

  gradient(rows: Uint32Array<ArrayBuffer>): Promise<LossGradient> {
    return this.#inTurn(async () => {
      if (rows.length === 0) return { loss: 0, gradient: new Float32Array(parameterCount(this.#model)) };
      const loss = await this.#run(rows, { batchSize: rows.length, update: false });
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
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      this.#checkAlive();
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new AstroScaleError("device_lost", "the trainer was disposed");
  }

  #write(groups: readonly Float32Array<ArrayBuffer>[]): void {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    this.#memory.parameters.forEach((buffer, g) => {
      const values = groups[g];
      if (values) device.queue.writeBuffer(buffer, 0, values);
    });
    for (const state of this.#memory.states.flat()) encoder.clearBuffer(state);
    device.queue.submit([encoder.finish()]);
    this.#steps = 0;
  }

  /** Runs batches over the rows of `order`. @returns the mean loss of its rows */
  async #run(
    order: Uint32Array<ArrayBuffer>,
    { batchSize, update }: { readonly batchSize: number; readonly update: boolean },
  ): Promise<number> {
    checkIndices(order, this.#x.rows, "row");
    if (order.length === 0) return 0;
    const parts = partsOf(order.length, batchSize, this.#plan.partRows);
    let next = 0;
    await submitPaced(this.#gpu, this.#pace, () => {
      this.#checkAlive();
      if (next === parts.length) return null;
      const fitting = this.#fitting(parts, next);
      const submit = this.#encodeParts(fitting, order, { update, first: next === 0 });
      next += fitting.length;
      return submit;
    });
    this.#checkAlive();
    const losses = new Float32Array(await readBytes(this.#gpu, this.#memory.losses, this.#plan.partRows * 4));
    return losses.reduce((sum, loss) => sum + loss, 0) / order.length;
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

  /** A step is a forward pass, twice as much backwards, and the optimiser's dispatch. */
  #stepWork(part: Part | undefined): number {
    return workOf(3 * this.#network.forwardWork(part?.rows ?? 0), 3 * this.#network.depth + 1);
  }

  #encodeParts(
    parts: readonly Part[],
    order: Uint32Array<ArrayBuffer>,
    { update, first }: { readonly update: boolean; readonly first: boolean },
  ): Submit {
    const { device } = this.#gpu;
    const { slots, firstSlots } = slotsOf(parts, order);
    device.queue.writeBuffer(this.#memory.order, 0, slots);
    device.queue.writeBuffer(this.#memory.gatherShape, 0, Uint32Array.of(slots.length, this.#x.cols4));
    const records = parts.map((part, index): StepRecord => {
      const scalars = stepScalars(this.#training, this.#steps + 1);
      if (update && part.last) this.#steps += 1;
      return { part, firstRow: firstSlots[index] ?? 0, scalars };
    });
    device.queue.writeBuffer(this.#memory.steps, 0, encodeSteps(records));

    const encoder = device.createCommandEncoder();
    if (first) encoder.clearBuffer(this.#memory.losses);
    const pass = encoder.beginComputePass();
    this.#network.gather(pass, slots.length);
    parts.forEach((part, index) => {
      this.#network.lossGradient(pass, index, part.rows);
      const whole = part.fresh && part.last;
      if (!whole || !update) this.#network.sum(pass, index);
      if (part.last && update) this.#network.step(pass, index, whole ? "partials" : "sum");
    });
    pass.end();
    const work = parts.reduce((sum, part) => sum + this.#stepWork(part), 0);
    return { commands: encoder.finish(), work };
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
      await submitPaced(this.#gpu, this.#pace, () => {
        this.#checkAlive();
        if (next === parts.length) return null;
        const most = Math.min(this.#pace.units(this.#forwardWork(parts[next])), MAX_PARTS);
        const fitting = parts.slice(next, next + most);
        next += fitting.length;
        return this.#encodeOutputs(fitting, readback.buffer, rowBytes);
      });
      const words = new Uint32Array(await readback.bytes());
      return new Float32Array(unpadRows(words, rows, outputs).buffer);
    } finally {
      readback.buffer.destroy();
    }
  }

  #forwardWork(part: Part | undefined): number {
    return workOf(this.#network.forwardWork(part?.rows ?? 0), this.#network.depth);
  }

  #encodeOutputs(parts: readonly Part[], target: GPUBuffer, rowBytes: number): Submit {
    const { device } = this.#gpu;
    const scalars = stepScalars(this.#training, 1);
    const records = parts.map((part): StepRecord => ({ part, firstRow: part.at, scalars }));
    device.queue.writeBuffer(this.#memory.steps, 0, encodeSteps(records));
    const encoder = device.createCommandEncoder();
    const last = this.#memory.units.at(-1);
    parts.forEach(({ at, rows }, index) => {
      const pass = encoder.beginComputePass();
      this.#network.forwardOfSet(pass, index, rows);
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
