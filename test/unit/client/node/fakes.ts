import type { Backend, Matrix, Trainer, TrainerRequest } from "../../../../client/backend/backend.ts";
import type { OpenedBackend } from "../../../../client/backend/open.ts";
import type { Clock } from "../../../../client/node/clock.ts";
import type { NodeSession, SessionSlot } from "../../../../client/node/coordinator/session.ts";
import type { LabelledRows, RowSource } from "../../../../client/training/training-rows.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { parameterCount } from "../../../../protocol/model.ts";
import type { BackendName } from "../../../../protocol/nodes.ts";

/** Time that leaps to the next sleeper whenever nothing else is left to do. */
export class LeapingClock implements Clock {
  #nowMs = 0;
  #sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  /** Every sleep asked for, in milliseconds. */
  readonly sleeps: number[] = [];

  now(): number {
    return this.#nowMs;
  }

  /** Time passes in which nobody sleeps, such as that of a computation. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      };
      const wake = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper = { dueMs: this.#nowMs + ms, wake };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", onAbort);
      setImmediate(() => this.#leap());
    });
  }

  #leap(): void {
    const next = this.#sleepers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
    if (next === undefined) return;
    this.#sleepers = this.#sleepers.filter((other) => other !== next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.wake();
  }
}

/** What a fake epoch gives: its loss, or that of a promise, or the error thrown. */
export type EpochScript = (epoch: number, device: FakeBackend, rows: number) => number | Promise<number>;

/** How much every parameter grows in a fake local epoch; exact in float32. */
export const EPOCH_STEP = 0.5;

/** A backend without mathematics: every local epoch adds `EPOCH_STEP` to every parameter. */
export class FakeBackend implements Backend {
  readonly name: BackendName;
  readonly device: string;
  readonly lost: Promise<string>;
  /** Loses the device. */
  lose: (reason: string) => void = () => {};
  disposed = false;
  /** Models that were compiled for. */
  prepared = 0;
  trainers = 0;
  /** `maxRowsAtOnce` of every trainer asked for. */
  readonly rowsAtOnce: (number | undefined)[] = [];
  epochs = 0;
  readonly #script: EpochScript;

  constructor(name: BackendName, script: EpochScript = () => 1) {
    this.name = name;
    this.device = `fake ${name}`;
    this.#script = script;
    this.lost = new Promise((resolve) => {
      this.lose = resolve;
    });
  }

  matrix(_values: Float32Array<ArrayBuffer>, rows: number, cols: number): Matrix {
    return { rows, cols, dispose() {} };
  }
  encodeFeatures(columns: readonly Float32Array<ArrayBuffer>[], terms: readonly unknown[]): Matrix {
    return { rows: columns[0]?.length ?? 0, cols: terms.length, dispose() {} };
  }
  async moments({ rows, cols }: Matrix) {
    return Array.from({ length: cols }, () => ({ count: rows, missing: 0, mean: 0, m2: 1, min: -1, max: 1 }));
  }
  impute(): void {}
  standardise(): void {}
  async read({ rows, cols }: Matrix): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(rows * cols);
  }

  async prepare(): Promise<void> {
    this.prepared += 1;
  }

  async trainer({ model, maxRowsAtOnce }: TrainerRequest): Promise<Trainer> {
    this.trainers += 1;
    this.rowsAtOnce.push(maxRowsAtOnce);
    let parameters = new Float32Array(parameterCount(model));
    return {
      load: (start) => {
        parameters = start.parameters.slice();
      },
      epoch: async (order) => {
        this.epochs += 1;
        const loss = await this.#script(this.epochs, this, order.length);
        parameters = parameters.map((value) => value + EPOCH_STEP);
        return loss;
      },
      gradient: () => Promise.reject(new Error("unreachable: a node asks for no gradient")),
      outputs: () => Promise.reject(new Error("unreachable: a node asks for no outputs")),
      parameters: async () => parameters.slice(),
      dispose() {},
    };
  }

  dispose(): void {
    this.disposed = true;
  }
}

/** A backend whose epochs take their time on `clock`. */
export function pacedBackend(name: BackendName, clock: LeapingClock, rowsPerSecond: number): FakeBackend {
  return new FakeBackend(name, (_epoch, _device, rows) => {
    clock.advance((rows * 1_000) / rowsPerSecond);
    return 1;
  });
}

/** No other device to measure against. */
export const NO_RIVAL = Promise.resolve(null);

/** Opens the given backends one after another; none left is `device_unavailable`. */
export function openInTurn(...backends: FakeBackend[]): () => Promise<OpenedBackend> {
  const left = [...backends];
  return async () => {
    const backend = left.shift();
    if (backend === undefined) throw new AstroScaleError("device_unavailable", "no fake backend is left");
    return { backend, notice: null, rival: NO_RIVAL };
  };
}

/** Four rows of one feature. */
const ROWS: LabelledRows = {
  rows: 4,
  columns: [Float32Array.of(1, 2, 3, 4)],
  terms: [{ plus: 0, minus: null }],
  targets: { kind: "value", values: Float32Array.of(1, 2, 3, 4) },
};

/** A row source that gives the same rows for every plan and counts how often it is asked. */
export function fixedRows(): RowSource & { asked: number } {
  return {
    asked: 0,
    async features(_plan, _signal, onBytes) {
      this.asked += 1;
      onBytes(100);
      return ROWS;
    },
    async labelled() {
      this.asked += 1;
      return ROWS;
    },
  };
}

/** A session slot in memory. */
export function memorySlot(stored: NodeSession | null = null): SessionSlot & {
  stored: NodeSession | null;
  released: boolean;
} {
  return {
    stored,
    released: false,
    async load() {
      return this.stored;
    },
    async save(session) {
      this.stored = session;
    },
    async clear() {
      this.stored = null;
    },
    async release() {
      this.released = true;
    },
  };
}
