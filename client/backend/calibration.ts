import type { LocalTraining } from "../../protocol/local-training.ts";
import { type ModelSpec, parameterCount, targetsPerRow } from "../../protocol/model.ts";
import type { BackendProbe } from "../../protocol/nodes.ts";
import type { Backend, Targets, Trainer, TrainingSet } from "./backend.ts";

/** The measuring of all backends together, in milliseconds. */
export const CALIBRATION_MS = 150;

const FIRST_ROWS = 32;
const GROWTH = 4;
/** Float32 values of the synthetic rows: a long batch visits them more than once. */
const MAX_VALUES = 1 << 20;
/** Ends a probe where the clock is too coarse to see an epoch. */
const MAX_EPOCHS = 64;
/** The first epoch on a device may wait for a driver that compiles; this long it may take. */
const WARM_UP_MS = 2_000;
const SEED = 20;

/** Time as a probe sees it. */
export interface ProbeClock {
  /** Milliseconds. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What is trained for a moment. */
export interface ProbedWork {
  readonly model: ModelSpec;
  readonly training: LocalTraining;
  /** Rows of a real local epoch: a probe's epochs grow up to that and not beyond. */
  readonly rows: number;
}

interface ProbeOptions extends ProbedWork {
  readonly limitMs: number;
  readonly mostEpochs: number;
  readonly clock: ProbeClock;
}

/**
 * Compiles what the work needs and trains for one short epoch, so that a calibration does not measure the first
 * time of everything.
 *
 * @returns whether the backend can do it
 */
export async function warmUp(backend: Backend, work: ProbedWork, clock: ProbeClock): Promise<boolean> {
  const options = { ...work, limitMs: WARM_UP_MS, mostEpochs: 1, clock };
  return (await probe(backend, options)) !== null;
}

/**
 * How fast each of `backends` trains, one after another, each for an equal share of `CALIBRATION_MS`. A backend
 * should be warm; what it still has to compile comes before its share.
 */
export async function calibrate(
  backends: readonly Backend[],
  work: ProbedWork,
  clock: ProbeClock,
): Promise<BackendProbe[]> {
  const limitMs = CALIBRATION_MS / backends.length;
  const probes: BackendProbe[] = [];
  for (const backend of backends) {
    const examplesPerSecond = await probe(backend, { ...work, limitMs, mostEpochs: MAX_EPOCHS, clock });
    probes.push({ backend: backend.name, device: backend.device.slice(0, 200), examplesPerSecond });
  }
  return probes;
}

/** The index of the fastest; of those that are equally fast, and of those that all failed, the first. */
export function fastest(probes: readonly BackendProbe[]): number {
  const rates = probes.map(({ examplesPerSecond }) => examplesPerSecond ?? -1);
  return Math.max(0, rates.indexOf(Math.max(...rates)));
}

/**
 * Examples per second of the real model at the real batch size on synthetic rows, in the longest local epoch that
 * the limit leaves room for: the first has a few rows, each later one more. An epoch that is not done at the
 * limit is abandoned and ends the probe.
 *
 * @returns `null` when the backend failed or not even the first epoch was done in time
 */
async function probe(backend: Backend, options: ProbeOptions): Promise<number | null> {
  const { model, training, limitMs, clock } = options;
  const over = new AbortController();
  let trainer: Trainer | null = null;
  let set: TrainingSet | null = null;
  try {
    await backend.prepare(model, training);
    const endMs = clock.now() + limitMs;
    set = syntheticSet(backend, model, Math.min(training.batchSize, options.rows));
    trainer = await backend.trainer({ model, training, set });
    const scale = 1 / Math.sqrt(Math.max(model.inputs, ...model.hidden));
    const parameters = spread(parameterCount(model), scale);
    trainer.load({ parameters, proximalMu: 0, correction: null, dropoutSeed: SEED });
    const late = clock.sleep(Math.max(0, endMs - clock.now()), over.signal).then(() => null);
    late.catch(() => {}); // aborted when the probe is over
    return await rateOf(trainer, options, { endMs, late, setRows: set.x.rows });
  } catch {
    // Whatever the reason, such a backend is not the one to train on.
    return null;
  } finally {
    over.abort();
    trainer?.dispose();
    set?.x.dispose();
  }
}

/** When a probe ends, and what it trains on. */
interface ProbeCourse {
  readonly endMs: number;
  /** Resolves at `endMs`. */
  readonly late: Promise<null>;
  readonly setRows: number;
}

async function rateOf(
  trainer: Trainer,
  { training: { batchSize }, rows: mostRows, mostEpochs, clock }: ProbeOptions,
  { endMs, late, setRows }: ProbeCourse,
): Promise<number | null> {
  let rate: number | null = null;
  let rows = Math.min(FIRST_ROWS, mostRows);
  // Over all epochs of the present length.
  let doneRows = 0;
  let spentMs = 0;
  for (let epochs = 0; epochs < mostEpochs; epochs++) {
    const order = Uint32Array.from({ length: rows }, (_, r) => r % setRows);
    const startedMs = clock.now();
    // Rates of 0: the parameters stay finite, whatever the task's rate does on such rows.
    const epoch = trainer.epoch(order, new Float32Array(Math.ceil(rows / batchSize)));
    epoch.catch(() => {}); // one that is abandoned may fail later
    if ((await Promise.race([epoch, late])) === null) return rate;
    const nowMs = clock.now();
    const tookMs = nowMs - startedMs;
    doneRows += rows;
    spentMs += tookMs;
    if (spentMs > 0) rate = (doneRows * 1_000) / spentMs;
    const growth = Math.min(GROWTH, (endMs - nowMs) / tookMs);
    if (!(growth >= 1)) return rate;
    const next = Math.min(mostRows, Math.ceil(rows * growth));
    if (next > rows) doneRows = spentMs = 0;
    rows = next;
  }
  return rate;
}

/** Rows with targets that the head takes, the same on every machine. */
function syntheticSet(backend: Backend, model: ModelSpec, mostRows: number): TrainingSet {
  const rows = Math.max(1, Math.min(mostRows, Math.floor(MAX_VALUES / model.inputs)));
  const x = backend.matrix(spread(rows * model.inputs, 1), rows, model.inputs);
  const targets: Targets =
    model.head === "softmax-cross-entropy"
      ? { kind: "class", classes: Uint32Array.from({ length: rows }, (_, r) => r % model.outputs) }
      : { kind: "value", values: spread(rows * targetsPerRow(model), 1) };
  return { x, targets };
}

/**
 * Values spread evenly over `[-scale, scale)`, a hundred times as fast as the tasks' generator: a model may have
 * millions. Weyl's sequence by the golden ratio.
 */
function spread(count: number, scale: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let word = SEED;
  for (let i = 0; i < count; i++) {
    word = (word + 0x9e3779b9) >>> 0;
    values[i] = (word / 2 ** 31 - 1) * scale;
  }
  return values;
}
