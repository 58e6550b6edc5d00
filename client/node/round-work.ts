import { AstroScaleError } from "../../protocol/errors.ts";
import type { FitPlan, RoundPlan, TrainPlan } from "../../protocol/rounds.ts";
import { decodeWeights } from "../../protocol/weights.ts";
import { fitStatistics } from "../training/fit-statistics.ts";
import { type ClientUpdate, type EpochReport, localUpdate } from "../training/local-update.ts";
import { type PreparedSet, preparedKey, prepareSet } from "../training/prepared-set.ts";
import type { FeatureRows, LabelledRows } from "../training/training-rows.ts";
import { abortable } from "./abortable.ts";
import type { Announcer } from "./announcer.ts";
import type { CoordinatorApi } from "./coordinator/coordinator-api.ts";
import { checkModelDigest } from "./coordinator/digest.ts";
import { hasCode, type Persist } from "./coordinator/persist.ts";
import type { NodeSession } from "./coordinator/session.ts";
import type { DeviceKeeper } from "./device-keeper.ts";
import type { NodeWorld } from "./node-world.ts";
import { fewerRowsAtOnce } from "./rows-at-once.ts";

/** The device went away, or refused what another device may do. */
const DEVICE_FAULTS = ["device_lost", "internal", "out_of_memory", "too_large"] as const;

/** What the work of a round needs of its node. */
export interface RoundWorkOptions {
  readonly world: NodeWorld;
  readonly api: CoordinatorApi;
  readonly announcer: Announcer;
  readonly device: DeviceKeeper;
  readonly persist: Persist;
  /** Told when another device computes from now on, or the same in another way, and why; `null` when it was chosen. */
  readonly onDevice: (notice: string | null) => void;
}

/** One round as it is worked on. */
export interface RoundContext {
  readonly session: NodeSession;
  readonly signal: AbortSignal;
  /** Awaited before every local epoch. */
  readonly beforeEpoch: () => Promise<void>;
}

/**
 * Turns plans into client updates. Keeps the prepared set between rounds for as long as the plans ask for the
 * same one, so that a round loads parameters and nothing else.
 */
export class RoundWork {
  readonly #options: RoundWorkOptions;
  #prepared: PreparedSet | null = null;
  /** `TrainerRequest.maxRowsAtOnce`; `null` until memory runs short on this device. */
  #maxRowsAtOnce: number | null = null;

  constructor(options: RoundWorkOptions) {
    this.#options = options;
  }

  /**
   * The update `plan` asks for. Where memory is short, fewer rows are computed at once; a device that is lost or
   * fails is replaced. Both times the work is done again from the start, in the same round.
   *
   * @throws {AstroScaleError} why this round cannot be done, such as `diverged` or `column_missing`
   */
  async update(plan: RoundPlan, context: RoundContext): Promise<ClientUpdate> {
    for (;;) {
      try {
        const update = await (plan.kind === "fit" ? this.#fit(plan, context) : this.#train(plan, context));
        this.#options.device.proven();
        return update;
      } catch (error) {
        context.signal.throwIfAborted();
        if (!hasCode(error, ...DEVICE_FAULTS)) throw error;
        this.#forget();
        await this.#recover(plan, error, context.signal);
      }
    }
  }

  /** @throws {AstroScaleError} what `DeviceKeeper.replace` throws */
  async #recover(plan: RoundPlan, fault: AstroScaleError, signal: AbortSignal): Promise<void> {
    const { device, persist, onDevice } = this.#options;
    const mayShrink = plan.kind === "train" && fault.code === "out_of_memory";
    const fewer = mayShrink ? fewerRowsAtOnce(this.#maxRowsAtOnce, plan.training.batchSize) : null;
    if (fewer !== null) {
      this.#maxRowsAtOnce = fewer;
      onDevice(`memory is short (${fault.message}): computing ${fewer} rows at once`);
      return;
    }
    const before = device.backend.name;
    const notice = await device.replace(fault, (open) => persist(open, signal));
    if (device.backend.name !== before) this.#maxRowsAtOnce = null;
    onDevice(notice);
  }

  /** Frees what is kept on the device. */
  dispose(): void {
    this.#forget();
  }

  #forget(): void {
    const prepared = this.#prepared;
    this.#prepared = null;
    prepared?.dispose();
  }

  async #fit(plan: FitPlan, { session, signal }: RoundContext): Promise<ClientUpdate> {
    const { announcer, device, world, persist } = this.#options;
    this.#forget();
    announcer.set({ phase: "downloading" });
    const data = await persist(() => world.rows.features(plan, signal, this.#countBytes), signal);
    this.#announceRows(plan, data);
    announcer.set({ phase: "preprocessing" });
    const work = fitStatistics(device.backend, plan, { data, nodeId: session.nodeId });
    return abortable(work, AbortSignal.any([signal, device.lost]));
  }

  async #train(plan: TrainPlan, context: RoundContext): Promise<ClientUpdate> {
    const { announcer, device, world } = this.#options;
    const { session, beforeEpoch } = context;
    const leaving = new AbortController();
    const downloading = AbortSignal.any([context.signal, leaving.signal]);
    announcer.set({ phase: "downloading" });
    try {
      const model = quiet(this.#globalModel(plan, session, downloading));
      const prepared = await this.#prepare(plan, downloading);
      const base = await model;
      const signal = AbortSignal.any([context.signal, device.lost]);
      announcer.set({ phase: "training", localEpoch: 0, localEpochs: plan.training.localEpochs });
      const work = localUpdate(prepared, plan, {
        nodeId: session.nodeId,
        backend: device.backend.name,
        base,
        now: () => world.clock.now(),
        onEpoch: (report) => this.#announceEpoch(report),
        beforeEpoch: async () => {
          signal.throwIfAborted();
          await beforeEpoch();
        },
      });
      return await abortable(work, signal);
    } finally {
      leaving.abort(new DOMException("the round is over", "AbortError"));
    }
  }

  async #globalModel(
    plan: TrainPlan,
    { token }: NodeSession,
    signal: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { api, announcer, persist } = this.#options;
    const at = { task: plan.task, round: plan.round - 1 };
    const bytes = await persist(() => api.model(token, at, signal), signal);
    announcer.add({ bytesDown: bytes.byteLength });
    await checkModelDigest(bytes, plan.baseModel);
    return decodeWeights(plan.model, bytes);
  }

  /** The prepared set of the plan: the last one, or a new one on the device that is the faster. */
  async #prepare(plan: TrainPlan, signal: AbortSignal): Promise<PreparedSet> {
    const { announcer, device } = this.#options;
    const key = preparedKey(plan);
    const download = this.#prepared?.key === key ? null : quiet(this.#labelledRows(plan, signal));
    await abortable(this.#chooseDevice(plan), signal);
    if (this.#prepared?.key === key) return this.#prepared;
    this.#forget();
    const data = await (download ?? this.#labelledRows(plan, signal));
    announcer.set({ phase: "preprocessing" });
    const options = this.#maxRowsAtOnce === null ? {} : { maxRowsAtOnce: this.#maxRowsAtOnce };
    const work = prepareSet(device.backend, plan, data, options);
    this.#prepared = await abortable(work, AbortSignal.any([signal, device.lost]));
    return this.#prepared;
  }

  async #chooseDevice({ model, training, shards }: TrainPlan): Promise<void> {
    const { announcer, device, onDevice } = this.#options;
    const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
    await device.calibrate({ model, training, rows }, () => this.#forget());
    if (device.probes !== announcer.state.probes) onDevice(null);
  }

  async #labelledRows(plan: TrainPlan, signal: AbortSignal): Promise<LabelledRows> {
    const { world, persist } = this.#options;
    const data = await persist(() => world.rows.labelled(plan, signal, this.#countBytes), signal);
    this.#announceRows(plan, data);
    if (data.rows > 0) return data;
    throw new AstroScaleError("shape_mismatch", `no row of ${plan.shards.length} shards has a label`);
  }

  readonly #countBytes = (bytes: number): void => this.#options.announcer.add({ bytesDown: bytes });

  #announceRows(plan: RoundPlan, data: FeatureRows): void {
    this.#options.announcer.set({ shards: plan.shards.length, rows: data.rows });
  }

  #announceEpoch({ localEpoch, loss, examples, examplesPerSecond }: EpochReport): void {
    const { announcer } = this.#options;
    announcer.add({ examplesTrained: examples });
    announcer.set({ localEpoch, loss, examplesPerSecond });
  }
}

/** The promise, whose failure is no unhandled one while something else is awaited first. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
