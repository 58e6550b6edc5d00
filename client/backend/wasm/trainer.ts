import { AstroScaleError } from "../../../protocol/errors.ts";
import { parameterCount } from "../../../protocol/model.ts";
import { type JobRecord, writeDropout, writeJob, writeOptimizer } from "../../../wasm/records.ts";
import type { LocalStart, LossGradient, Trainer, TrainerRequest } from "../backend.ts";
import { checkIndices, checkRates } from "../training-set.ts";
import type { WasmMachine } from "./machine.ts";
import { optimizerRecord } from "./optimizer-record.ts";
import { pad, unpad } from "./padded-parameters.ts";
import { placeNetwork, type ResidentNetwork } from "./resident-network.ts";

/**
 * A trainer whose local epoch is one job of the kernels. Its parameters are 0 until `load`.
 *
 * @throws {AstroScaleError} `shape_mismatch` when the set is not what the model takes; `out_of_memory`
 */
export function createWasmTrainer(machine: WasmMachine, request: TrainerRequest): Trainer {
  return new WasmTrainer(machine, request);
}

/** What differs from job to job. */
type Work = Pick<JobRecord, "kind" | "rates" | "outputs"> & { readonly rows: Uint32Array<ArrayBuffer> };

class WasmTrainer implements Trainer {
  readonly #machine: WasmMachine;
  readonly #request: TrainerRequest;
  /** Parameters, without padding. */
  readonly #count: number;
  #placed: ResidentNetwork | null;
  /** The proximal term's `w0` and SCAFFOLD's correction, padded: there once a start has had them. */
  #origin: number | null = null;
  #correction: number | null = null;
  #steps = 0;

  constructor(machine: WasmMachine, request: TrainerRequest) {
    this.#machine = machine;
    this.#request = request;
    this.#count = parameterCount(request.model);
    this.#placed = placeNetwork(machine, request);
    const parameters = new Float32Array(this.#count);
    this.load({ parameters, proximalMu: 0, correction: null, dropoutSeed: 0 });
  }

  load(start: LocalStart): void {
    const { heap, kernels } = this.#machine;
    const placed = this.#resident();
    this.#checkLength("parameters", start.parameters);
    if (start.correction !== null) {
      this.#checkLength("values of the correction", start.correction);
      this.#correction ??= heap.allocate(placed.length * 4);
      this.#pad(start.correction, this.#correction);
    }
    if (start.proximalMu > 0) {
      this.#origin ??= heap.allocate(placed.length * 4);
      this.#pad(start.parameters, this.#origin);
    }
    this.#pad(start.parameters, placed.parameters);
    heap.floats(placed.state, placed.stateLength).fill(0);
    const { dropout } = this.#request.training;
    writeDropout(kernels.memory, placed.dropout, { dropout, seed: start.dropoutSeed });
    writeOptimizer(kernels.memory, placed.optimizer, {
      ...optimizerRecord(this.#request.training),
      first: placed.state,
      second: placed.state + placed.length * 4,
      proximalMu: start.proximalMu,
      origin: this.#origin ?? 0,
      correction: start.correction === null ? 0 : (this.#correction ?? 0),
      dropout: dropout > 0 ? placed.dropout : 0,
    });
    this.#steps = 0;
  }

  async epoch(order: Uint32Array<ArrayBuffer>, rates: Float32Array<ArrayBuffer>): Promise<number> {
    this.#resident();
    checkRates(rates, order.length, this.#request.training.batchSize);
    if (order.length === 0) return 0;
    return this.#with(rates.length, (at) => {
      this.#machine.heap.floats(at, rates.length).set(rates);
      const loss = this.#run({ kind: "train", rows: order, rates: at, outputs: 0 });
      this.#steps += rates.length;
      return loss;
    });
  }

  async gradient(rows: Uint32Array<ArrayBuffer>): Promise<LossGradient> {
    const { gradients } = this.#resident();
    if (rows.length === 0) return { loss: 0, gradient: new Float32Array(this.#count) };
    const loss = this.#run({ kind: "gradient", rows, rates: 0, outputs: 0 });
    return { loss, gradient: this.#unpad(gradients) };
  }

  async outputs(): Promise<Float32Array<ArrayBuffer>> {
    this.#resident();
    const { model, set } = this.#request;
    const rows = Uint32Array.from({ length: set.x.rows }, (_, row) => row);
    return this.#with(rows.length * model.outputs, (outputs) => {
      this.#run({ kind: "predict", rows, rates: 0, outputs });
      return this.#machine.heap.floats(outputs, rows.length * model.outputs).slice();
    });
  }

  async parameters(): Promise<Float32Array<ArrayBuffer>> {
    return this.#unpad(this.#resident().parameters);
  }

  dispose(): void {
    const { heap } = this.#machine;
    for (const at of [this.#placed?.block ?? null, this.#origin, this.#correction]) {
      if (at !== null) heap.free(at);
    }
    this.#placed = null;
    this.#origin = null;
    this.#correction = null;
  }

  #resident(): ResidentNetwork {
    if (this.#placed === null) throw new Error("a trainer was used after it was disposed");
    return this.#placed;
  }

  #checkLength(name: string, { length }: Float32Array<ArrayBuffer>): void {
    if (length === this.#count) return;
    throw new AstroScaleError("shape_mismatch", `${length} ${name}, the model has ${this.#count}`);
  }

  #pad(flat: Float32Array<ArrayBuffer>, at: number): void {
    const { layers, length } = this.#resident();
    const padded = this.#machine.heap.floats(at, length);
    padded.fill(0);
    pad(layers, flat, padded);
  }

  #unpad(at: number): Float32Array<ArrayBuffer> {
    const { layers, length } = this.#resident();
    const flat = new Float32Array(this.#count);
    unpad(layers, this.#machine.heap.floats(at, length), flat);
    return flat;
  }

  /** Runs a job to its end; gives its mean loss. @throws {AstroScaleError} `shape_mismatch` for a row that is not there */
  #run({ kind, rows, rates, outputs }: Work): number {
    const { kernels, heap, lanes, sync } = this.#machine;
    const { network, optimizer, job } = this.#resident();
    const { set, training } = this.#request;
    checkIndices(rows, set.x.rows, "row");
    return this.#with(rows.length, (order) => {
      heap.words(order, rows.length).set(rows);
      const { batchSize } = training;
      const record = { kind, lanes, sync, network, optimizer, order, count: rows.length, batchSize };
      writeJob(kernels.memory, job, { ...record, rates, firstStep: this.#steps, outputs });
      this.#machine.run(job);
      return heap.doubles(job, 1)[0] ?? 0;
    });
  }

  /** Calls `work` with the address of that many words, which are its own until it returns. */
  #with<T>(words: number, work: (at: number) => T): T {
    const { heap } = this.#machine;
    const at = heap.allocate(words * 4);
    try {
      return work(at);
    } finally {
      heap.free(at);
    }
  }
}
