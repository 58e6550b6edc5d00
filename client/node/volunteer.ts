import { AstroScaleError } from "../../protocol/errors.ts";
import type { NodeCapabilities, NodeFault } from "../../protocol/nodes.ts";
import type { RoundPlan } from "../../protocol/rounds.ts";
import type { OpenedBackend } from "../backend/open.ts";
import type { ClientUpdate } from "../training/local-update.ts";
import { Announcer } from "./announcer.ts";
import { CoordinatorApi } from "./coordinator/coordinator-api.ts";
import { Heart } from "./coordinator/heart.ts";
import { Membership } from "./coordinator/membership.ts";
import { hasCode, type Persist, persistence } from "./coordinator/persist.ts";
import type { NodeSession } from "./coordinator/session.ts";
import { DeviceKeeper } from "./device-keeper.ts";
import type { NodeWorld } from "./node-world.ts";
import { PauseGate } from "./pause-gate.ts";
import { RoundWork } from "./round-work.ts";
import type { BackendChoice, NodeHandle, NodeOptions, NodeState } from "./state.ts";
import { threadsToUse } from "./threads.ts";
import { NODE_VERSION } from "./version.ts";

/** Between two questions that the coordinator answered at once. */
const MIN_ASK_INTERVAL_MS = 1_000;
/** Before asking again for the plan of a round that failed here. */
const FAILED_ROUND_WAIT_MS = 5_000;
/** Local epochs may run on for this long without letting timers and messages have their turn. */
const MAX_BUSY_MS = 100;

/** The round went on without this update; the next plan says what to do. */
const OVERTAKEN = ["stale_round", "duplicate_update", "not_selected"] as const;
/** Faults of a transfer, which another try may not meet. */
const TRANSFER_FAULTS = ["shard_corrupt", "base_model_mismatch"] as const;

/**
 * One node: joins, asks for a plan, trains, sends, and again, until its task is finished or it is stopped.
 * It rides out what passes by itself (a coordinator that is away, a lost session, a lost device, a round that
 * fails); `failed` means that a person must act.
 */
export class Volunteer implements NodeHandle {
  /** Resolves when the node has ended; its state then says how. */
  readonly ended: Promise<void>;

  readonly #world: NodeWorld;
  readonly #announcer: Announcer;
  readonly #api: CoordinatorApi;
  readonly #membership: Membership;
  readonly #heart: Heart;
  readonly #device: DeviceKeeper;
  readonly #work: RoundWork;
  readonly #persist: Persist;
  readonly #stop = new AbortController();
  readonly #gate = new PauseGate();
  /** What happened to the device, shown until the node ends. */
  #deviceNotice: string | null = null;
  /** The plan this node gave up: the same plan would end the same way. */
  #skipped: string | null = null;
  #yieldedMs = 0;

  /** Starts at once. @param onState told of every change, first of the initial state */
  constructor(options: NodeOptions, world: NodeWorld, onState: (state: NodeState) => void) {
    const { clock, random, takeSlot } = world;
    const announcer = new Announcer(onState);
    const api = new CoordinatorApi(options.coordinator, world.fetch);
    const threads = threadsToUse(options.threads, world.threads);
    const open = (choice: BackendChoice): Promise<OpenedBackend> => world.openBackend(choice, { threads });
    const device = new DeviceKeeper(open, options.backend, clock);
    const persist = persistence({ clock, random, announcer, hold: () => this.#hold() });
    const membership = new Membership({ api, options, takeSlot, persist });
    const onDevice = (notice: string | null): void => this.#announceDevice(notice);
    this.#world = world;
    this.#announcer = announcer;
    this.#api = api;
    this.#device = device;
    this.#persist = persist;
    this.#membership = membership;
    this.#heart = new Heart({ api, clock, membership, state: () => announcer.state });
    this.#work = new RoundWork({ world, api, announcer, device, persist, onDevice });
    announcer.set({ threads });
    this.ended = this.#run();
  }

  /** Finishes the local epoch under way, then holds; resolves when it holds or has ended. */
  async pause(): Promise<void> {
    await Promise.race([this.#gate.pause(), this.ended]);
  }

  /** Goes on, if the round is still open. */
  async resume(): Promise<void> {
    this.#gate.resume();
  }

  /** Leaves the coordinator, frees the device and ends; resolves when done. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException("the node is stopped", "AbortError"));
    await this.ended;
  }

  async #run(): Promise<void> {
    const over = new AbortController();
    const beating = this.#heart
      .run(AbortSignal.any([this.#stop.signal, over.signal]))
      .catch((error: unknown) => this.#stop.abort(error));
    let end: Partial<NodeState>;
    try {
      await this.#participate(this.#stop.signal);
      end = { phase: "finished", reason: null };
    } catch (error) {
      end = endOf(error);
    }
    over.abort();
    await beating;
    try {
      this.#work.dispose();
      this.#device.dispose();
      await this.#membership.leave();
    } finally {
      this.#announcer.set(end);
    }
  }

  async #participate(signal: AbortSignal): Promise<void> {
    const [notice, stored] = await Promise.all([
      this.#persist(() => this.#device.open(), signal),
      this.#membership.find(),
    ]);
    this.#announceDevice(notice);
    const session = stored ?? (await this.#membership.join(this.#capabilities(), signal));
    this.#announcer.set({ phase: "waiting" });
    // The first plan does not wait for the page's words; a refusal of those shows once there is one.
    const announced = this.#announceSession(session, signal);
    announced.catch(() => {});
    for (;;) {
      await this.#hold();
      const plan = await this.#nextPlan(signal);
      await announced;
      if (plan === "finished") return;
      if (plan !== null) await this.#doRound(plan, signal);
    }
  }

  /** The next plan to work on; `null` when there was none for the moment, or a pause or a new session came. */
  async #nextPlan(signal: AbortSignal): Promise<RoundPlan | "finished" | null> {
    const { clock } = this.#world;
    const waiting = AbortSignal.any([signal, this.#gate.signal]);
    const { token } = this.#session();
    this.#announcer.set({ phase: "waiting" });
    try {
      const askedMs = clock.now();
      const answer = await this.#persist(() => this.#api.plan(token, waiting), waiting);
      if (answer.kind !== "none") {
        if (planKey(answer) !== this.#skipped) return answer;
        await clock.sleep(FAILED_ROUND_WAIT_MS, waiting);
        return null;
      }
      if (answer.finished) return "finished";
      this.#announcer.set({ reason: answer.reason });
      // The coordinator held the question for as long as it could: that time counts as waiting.
      const intervalMs = Math.max(answer.retryAfterSecs * 1_000, MIN_ASK_INTERVAL_MS);
      await clock.sleep(Math.max(0, askedMs + intervalMs - clock.now()), waiting);
    } catch (error) {
      signal.throwIfAborted();
      if (hasCode(error, "unauthorized")) await this.#rejoin(signal);
      else if (!waiting.aborted) throw error;
    }
    return null;
  }

  async #doRound(plan: RoundPlan, signal: AbortSignal): Promise<void> {
    const session = this.#session();
    const localEpochs = plan.kind === "train" ? plan.training.localEpochs : 0;
    this.#heart.openRound = plan.round;
    this.#announcer.set({ round: plan.round, localEpoch: 0, localEpochs, reason: null });
    try {
      const beforeEpoch = (): Promise<void> => this.#beforeEpoch(plan, signal);
      const update = await this.#work.update(plan, { session, signal, beforeEpoch });
      await this.#send(update, session, signal);
    } catch (error) {
      signal.throwIfAborted();
      await this.#giveUp(plan, error, signal);
    }
  }

  async #send({ bytes }: ClientUpdate, { token }: NodeSession, signal: AbortSignal): Promise<void> {
    this.#announcer.set({ phase: "sending" });
    const update = { key: this.#world.uuid(), bytes };
    await this.#persist(() => this.#api.update(token, update, signal), signal);
    this.#announcer.add({ updatesAccepted: 1, bytesUp: bytes.byteLength });
    const { fault } = this.#announcer.state;
    this.#announcer.set({ notice: this.#deviceNotice, fault: null });
    if (fault !== null) void this.#heart.beat(signal);
  }

  /** Goes on after a round that failed here. @throws what this node cannot go on after */
  async #giveUp(plan: RoundPlan, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock } = this.#world;
    if (!(error instanceof AstroScaleError) || error.code === "device_unavailable") throw error;
    if (hasCode(error, "unauthorized")) return this.#rejoin(signal);
    if (hasCode(error, ...OVERTAKEN)) return clock.sleep(MIN_ASK_INTERVAL_MS, signal);
    const fault = faultOf(plan, error) ?? this.#announcer.state.fault;
    this.#announcer.set({ phase: "waiting", notice: `round ${plan.round} skipped: ${error.message}`, fault });
    void this.#heart.beat(signal);
    if (hasCode(error, ...TRANSFER_FAULTS)) return clock.sleep(FAILED_ROUND_WAIT_MS, signal);
    this.#skipped = planKey(plan);
  }

  /** @throws {AstroScaleError} `stale_round` when the coordinator is said to have gone on to another round */
  async #beforeEpoch(plan: RoundPlan, signal: AbortSignal): Promise<void> {
    const { clock } = this.#world;
    if (clock.now() - this.#yieldedMs > MAX_BUSY_MS) {
      await clock.sleep(0, signal);
      this.#yieldedMs = clock.now();
    }
    await this.#hold();
    const { openRound } = this.#heart;
    if (openRound !== null && openRound > plan.round) {
      throw new AstroScaleError("stale_round", `round ${plan.round} is over, round ${openRound} is open`);
    }
  }

  /** Waits while the node is paused; afterwards the heart knows which round is open. */
  async #hold(): Promise<boolean> {
    const { signal } = this.#stop;
    const { phase } = this.#announcer.state;
    const held = await this.#gate.pass(signal, () => {
      this.#announcer.set({ phase: "paused" });
      void this.#heart.beat(signal);
    });
    if (held) {
      this.#announcer.set({ phase });
      await this.#heart.beat(signal);
    }
    return held;
  }

  /** The coordinator no longer knows this node, as after the loss of its data: a new one takes its place. */
  async #rejoin(signal: AbortSignal): Promise<void> {
    this.#skipped = null;
    this.#announcer.set({ phase: "joining", reason: "the coordinator does not know this node any more" });
    await this.#world.clock.sleep(MIN_ASK_INTERVAL_MS, signal);
    await this.#announceSession(await this.#membership.join(this.#capabilities(), signal), signal);
    this.#heart.openRound = null;
  }

  #session(): NodeSession {
    const { session } = this.#membership;
    if (session === null) throw new Error("unreachable: the node has not joined");
    return session;
  }

  #capabilities(): NodeCapabilities {
    const { name, device } = this.#device.backend;
    const { threads } = this.#world;
    return { backend: name, device: device.slice(0, 200), threads, version: NODE_VERSION };
  }

  /** @param notice `null` when nothing new happened that the volunteer should know */
  #announceDevice(notice: string | null): void {
    const { backend, probes } = this.#device;
    this.#deviceNotice = notice ?? this.#deviceNotice;
    this.#announcer.set({
      backend: backend.name,
      device: backend.device,
      probes,
      notice: this.#deviceNotice,
    });
  }

  async #announceSession({ nodeId, task }: NodeSession, signal: AbortSignal): Promise<void> {
    this.#announcer.set({ nodeId });
    try {
      const { task: spec } = await this.#persist(() => this.#api.task(task, signal), signal);
      const { id, title, description, rules, model, training } = spec;
      this.#device.prepare({ model, training, rows: training.batchSize });
      this.#announcer.set({ task: { id, title, description }, rounds: rules.rounds, reason: null });
    } catch (error) {
      // A stored session may be for a task of data that are gone; the next plan then answers 401.
      if (!hasCode(error, "not_found")) throw error;
    }
  }
}

/** Tells plans apart by what a node would do with them. */
function planKey({ task, round, shards }: RoundPlan): string {
  return JSON.stringify([task, round, shards.map(({ etag }) => etag)]);
}

/** What the coordinator is told of a round given up here; `null` where it refused itself and so knows. */
function faultOf({ round }: RoundPlan, { code, message, details }: AstroScaleError): NodeFault | null {
  return details?.["status"] === undefined ? { round, code, message: message.slice(0, 300) } : null;
}

/** The last state of a node that ended by `error`: an abort is the volunteer's own wish. */
function endOf(error: unknown): Partial<NodeState> {
  if (error instanceof DOMException && error.name === "AbortError") return { phase: "stopped", reason: null };
  if (hasCode(error, "task_finished")) return { phase: "finished", reason: error.message };
  if (error instanceof AstroScaleError) {
    return { phase: "failed", error: { code: error.code, message: error.message } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { phase: "failed", error: { code: "internal", message } };
}
