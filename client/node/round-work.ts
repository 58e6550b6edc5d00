import { AstroScaleError } from "../../protocol/errors.ts";
import type { FitPlan, RoundPlan, TrainPlan } from "../../protocol/rounds.ts";
import { decodeWeights } from "../../protocol/weights.ts";
import { fitStatistics } from "../training/fit-statistics.ts";
import { type ClientUpdate, type EpochReport, localUpdate } from "../training/local-update.ts";
import { type PreparedSet, preparedKey, prepareSet } from "../training/prepared-set.ts";
import type { FeatureRows } from "../training/training-rows.ts";
import { abortable } from "./abortable.ts";
import type { Announcer } from "./announcer.ts";
import type { CoordinatorApi } from "./coordinator/coordinator-api.ts";
import { checkModelDigest } from "./coordinator/digest.ts";
import { hasCode, type Persist } from "./coordinator/persist.ts";
import type { NodeSession } from "./coordinator/session.ts";
import type { DeviceKeeper } from "./device-keeper.ts";
import type { NodeWorld } from "./node-world.ts";

/** The device went away, or refused what another device may do. */
const DEVICE_FAULTS = ["device_lost", "internal"] as const;

/** What the work of a round needs of its node. */
export interface RoundWorkOptions {
  readonly world: NodeWorld;
  readonly api: CoordinatorApi;
  readonly announcer: Announcer;
  readonly device: DeviceKeeper;
  readonly persist: Persist;
  /** Told what happened when the device was replaced. */
  readonly onReplaced: (notice: string) => void;
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

  constructor(options: RoundWorkOptions) {
    this.#options = options;
  }

  /**
   * The update `plan` asks for. A device lost on the way is replaced and the work done again from the start,
   * in the same round.
   *
   * @throws {AstroScaleError} why this round cannot be done, such as `diverged` or `column_missing`
   */
  async update(plan: RoundPlan, context: RoundContext): Promise<ClientUpdate> {
    const { device, persist, onReplaced } = this.#options;
    for (;;) {
      try {
        const update = await (plan.kind === "fit" ? this.#fit(plan, context) : this.#train(plan, context));
        device.proven();
        return update;
      } catch (error) {
        context.signal.throwIfAborted();
        if (!hasCode(error, ...DEVICE_FAULTS)) throw error;
        this.#forget();
        onReplaced(await device.replace(error, (open) => persist(open, context.signal)));
      }
    }
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
    const signal = AbortSignal.any([context.signal, device.lost]);
    const base = await this.#globalModel(plan, context);
    const prepared = await this.#prepare(plan, context);
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
    return abortable(work, signal);
  }

  async #globalModel(plan: TrainPlan, { session, signal }: RoundContext): Promise<Float32Array<ArrayBuffer>> {
    const { api, announcer, persist } = this.#options;
    announcer.set({ phase: "downloading" });
    const at = { task: plan.task, round: plan.round - 1 };
    const bytes = await persist(() => api.model(session.token, at, signal), signal);
    announcer.add({ bytesDown: bytes.byteLength });
    await checkModelDigest(bytes, plan.baseModel);
    return decodeWeights(plan.model, bytes);
  }

  async #prepare(plan: TrainPlan, { signal }: RoundContext): Promise<PreparedSet> {
    const { announcer, device, world, persist } = this.#options;
    if (this.#prepared?.key === preparedKey(plan)) return this.#prepared;
    this.#forget();
    announcer.set({ phase: "downloading" });
    const data = await persist(() => world.rows.labelled(plan, signal, this.#countBytes), signal);
    this.#announceRows(plan, data);
    if (data.rows === 0) {
      throw new AstroScaleError("shape_mismatch", `no row of ${plan.shards.length} shards has a label`);
    }
    announcer.set({ phase: "preprocessing" });
    const work = prepareSet(device.backend, plan, data);
    this.#prepared = await abortable(work, AbortSignal.any([signal, device.lost]));
    return this.#prepared;
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
