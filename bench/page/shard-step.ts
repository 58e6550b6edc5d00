import type { Backend } from "../../client/backend/backend.ts";
import type { OpenedBackend } from "../../client/backend/open.ts";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import { DeviceKeeper } from "../../client/node/device-keeper.ts";
import { localUpdate } from "../../client/training/local-update.ts";
import { prepareSet } from "../../client/training/prepared-set.ts";
import { browserWorld } from "../../client/worker/browser-world.ts";
import { initialise } from "../../protocol/model.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { TrainPlan } from "../../protocol/rounds.ts";
import { hasRelaxedSimd, type Kernels, loadKernels } from "../../wasm/index.ts";

/** A node's work on one shard, from nothing. */
export interface ShardWish {
  readonly choice: BackendName | "auto";
  readonly threads: number;
  /** Of one local epoch; its shard is served where a coordinator serves it. */
  readonly plan: TrainPlan;
}

/** How it went. */
export interface ShardStep {
  readonly backend: BackendName;
  readonly loss: number;
  /** Bytes of WebAssembly memory at the end; `null` on other backends. */
  readonly wasmBytes: number | null;
}

/** What choosing between two devices took. */
export interface Choice {
  readonly chosen: BackendName;
  /** Of measuring both, once both were ready; `null` when there was no rival or it never got ready. */
  readonly measuringMs: number | null;
}

const READY_LIMIT_MS = 20_000;
const LOOK_MS = 20;

/** The parts of a node that compute, put together as the node does it, without its coordinator. */
export class ShardNode {
  readonly #wish: ShardWish;
  readonly #world = browserWorld(location.origin);
  readonly #device: DeviceKeeper;
  #kernels: Kernels | null = null;

  constructor(wish: ShardWish) {
    this.#wish = wish;
    this.#device = new DeviceKeeper((choice) => this.#open(choice), wish.choice, this.#world.clock);
  }

  /** As `openBackend`, but that it keeps hold of WebAssembly's memory. */
  async #open(choice: ShardWish["choice"]): Promise<OpenedBackend> {
    const { threads } = this.#wish;
    if (choice !== "wasm") return this.#world.openBackend(choice, { threads });
    this.#kernels = await loadKernels({ relaxed: hasRelaxedSimd(), shared: threads > 1 });
    const backend: Backend = await createWasmBackend({ kernels: this.#kernels, threads });
    return { backend, notice: null, rival: Promise.resolve(null) };
  }

  /** Opens a device, compiles and downloads side by side, prepares the shard and trains the plan's one epoch. */
  async firstEpoch(): Promise<ShardStep> {
    const { plan } = this.#wish;
    const download = this.#world.rows.labelled(plan, new AbortController().signal, () => {});
    await this.#device.open();
    this.#device.prepare(this.#work());
    const data = await download;
    await this.#device.calibrate(this.#work(), () => {});
    const prepared = await prepareSet(this.#device.backend, plan, data);
    let loss = Number.NaN;
    await localUpdate(prepared, plan, {
      nodeId: "bench",
      backend: this.#device.backend.name,
      base: initialise(plan.model, plan.seed),
      now: () => performance.now(),
      onEpoch: (report) => {
        loss = report.loss;
      },
      beforeEpoch: async () => {},
    });
    prepared.dispose();
    if (!Number.isFinite(loss)) throw new Error(`the first epoch's loss is ${loss}`);
    const wasmBytes = this.#kernels?.memory.buffer.byteLength ?? null;
    return { backend: this.#device.backend.name, loss, wasmBytes };
  }

  /** Waits until the rival is ready and both are measured, as a node does before its second round. */
  async choose(): Promise<Choice> {
    const endMs = performance.now() + READY_LIMIT_MS;
    for (;;) {
      const startMs = performance.now();
      await this.#device.calibrate(this.#work(), () => {});
      const tookMs = performance.now() - startMs;
      const isMeasured = this.#device.probes.length > 1;
      if (isMeasured || performance.now() > endMs) {
        return { chosen: this.#device.backend.name, measuringMs: isMeasured ? tookMs : null };
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #work() {
    const { model, training, shards } = this.#wish.plan;
    return { model, training, rows: shards.reduce((sum, { rows }) => sum + rows, 0) };
  }
}
