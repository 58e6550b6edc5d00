import { AstroScaleError } from "../../protocol/errors.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import { encodeWeights } from "../../protocol/weights.ts";
import { clipUpdate } from "./clip-update.ts";
import { dropoutSeed } from "./dropout-seed.ts";
import { epochOrder } from "./epoch-order.ts";
import type { PreparedSet } from "./prepared-set.ts";
import { stepRates } from "./step-rates.ts";

/** What a node sends for a round: one safetensors file. */
export interface ClientUpdate {
  readonly task: string;
  readonly round: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How a local epoch went. */
export interface EpochReport {
  /** Local epochs done in this round, from 1. */
  readonly localEpoch: number;
  /** Mean training loss over the epoch's steps. */
  readonly loss: number;
  readonly examples: number;
  /** Over this round's epochs so far: one short epoch alone tells little. */
  readonly examplesPerSecond: number;
}

/** Who trains, and how the world follows and holds the training. */
export interface LocalUpdateOptions {
  readonly nodeId: string;
  readonly backend: BackendName;
  /** The global model, `[parameterCount]`. */
  readonly base: Float32Array<ArrayBuffer>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly onEpoch: (report: EpochReport) => void;
  /** Awaited before every local epoch: waits while the node is paused, throws when the round is not worth it. */
  readonly beforeEpoch: () => Promise<void>;
}

/**
 * One round of local training: `localEpochs` epochs from the global model, each in its own `epochOrder` with its
 * own `stepRates`.
 *
 * @returns `delta = parameters - base`, each difference rounded once to float32, clipped to `updateClipNorm`
 * @throws {AstroScaleError} `diverged` when a loss or a difference is not finite; `device_lost`; what
 * `beforeEpoch` throws
 *
 * Source: McMahan et al. 2017, arXiv:1602.05629, algorithm 1, ClientUpdate.
 */
export async function localUpdate(
  prepared: PreparedSet,
  plan: TrainPlan,
  options: LocalUpdateOptions,
): Promise<ClientUpdate> {
  const { rows, trainer } = prepared;
  const { localEpochs, updateClipNorm } = plan.training;
  trainer.load({
    parameters: options.base,
    proximalMu: 0,
    correction: null,
    dropoutSeed: dropoutSeed(plan),
  });
  let last: EpochReport | null = null;
  let trainingMs = 0;
  for (let localEpoch = 0; localEpoch < localEpochs; localEpoch++) {
    await options.beforeEpoch();
    const startedMs = options.now();
    const order = epochOrder(plan, localEpoch, rows);
    const loss = await trainer.epoch(order, stepRates(plan, localEpoch, rows));
    if (!Number.isFinite(loss)) {
      throw new AstroScaleError("diverged", `loss is ${loss} after local epoch ${localEpoch + 1}`);
    }
    trainingMs += options.now() - startedMs;
    const done = localEpoch + 1;
    // Isolated pages have a clock of 5 µs; an epoch below that has no measurable rate.
    const examplesPerSecond = trainingMs > 0 ? (rows * done * 1_000) / trainingMs : 0;
    last = { localEpoch: done, loss, examples: rows, examplesPerSecond };
    options.onEpoch(last);
  }
  const delta = difference(await trainer.parameters(), options.base);
  clipUpdate(delta, updateClipNorm);
  const metadata = {
    task: plan.task,
    round: String(plan.round),
    node: options.nodeId,
    exampleCount: String(rows),
    baseModel: plan.baseModel,
    backend: options.backend,
    ...(last && { loss: String(last.loss), examplesPerSecond: String(last.examplesPerSecond) }),
  };
  return { task: plan.task, round: plan.round, bytes: encodeWeights(plan.model, delta, metadata) };
}

/** `parameters - base`. @throws {AstroScaleError} `diverged` when an entry is not finite */
function difference(
  parameters: Float32Array<ArrayBuffer>,
  base: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  const delta = parameters.map((value, i) => value - (base[i] ?? 0));
  const at = delta.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new AstroScaleError("diverged", `parameter ${at} changed by ${delta[at]}`);
  return delta;
}
