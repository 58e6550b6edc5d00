import { type ReadonlySignal, signal } from "@preact/signals";
import type { Catalog } from "../../../protocol/catalogs.ts";
import { AstroScaleError } from "../../../protocol/errors.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import { INITIAL_STATE } from "../../node/announcer.ts";
import type { NodeHandle, NodeOptions, NodeState } from "../../node/state.ts";
import { type Fetch, readCatalog, readTasks } from "../campaign-api.ts";
import type { JoinParameters } from "./join-parameters.ts";
import { type RoundLoss, withLoss } from "./loss-history.ts";
import { isRunning } from "./phase-words.ts";

/** Starts a node and calls back with every state, the first at once. */
export type OpenNode = (
  options: NodeOptions,
  onState: (state: NodeState) => void,
) => NodeHandle | Promise<NodeHandle>;

/** The world of the volunteer page; a test puts its own in place. */
export interface VolunteerWorld {
  readonly fetch: Fetch;
  readonly openNode: OpenNode;
  /** Origin of the coordinator. */
  readonly coordinator: string;
}

/** What the volunteer page reads and does. */
export interface Volunteer {
  /** `null` before the first join. */
  readonly node: ReadonlySignal<NodeState | null>;
  readonly losses: ReadonlySignal<readonly RoundLoss[]>;
  /** Campaigns on offer; `null` until they are read. */
  readonly tasks: ReadonlySignal<readonly TaskStatus[] | null>;
  readonly catalogs: ReadonlySignal<ReadonlyMap<string, Catalog>>;
  /** Why the campaigns could not be read, in words; `null` while all is well. */
  readonly problem: ReadonlySignal<string | null>;
  readTasks(): Promise<void>;
  join(options: Omit<NodeOptions, "coordinator">): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Resolves when the node is gone; at once without one. */
  stop(): Promise<void>;
}

/** What the volunteer page needs of the world. */
export interface VolunteerDependencies {
  readonly volunteer: Volunteer;
  readonly parameters: JoinParameters;
  /** For those who have chosen no name yet. */
  readonly suggestedName: string;
  /** Whether this browser offers WebGPU at all. */
  readonly hasWebGpu: boolean;
  /** Threads that this machine runs at once. */
  readonly cores: number;
}

/** A volunteer who has not joined yet. */
export function createVolunteer(world: VolunteerWorld): Volunteer {
  return new Model(world);
}

class Model implements Volunteer {
  readonly node = signal<NodeState | null>(null);
  readonly losses = signal<readonly RoundLoss[]>([]);
  readonly tasks = signal<readonly TaskStatus[] | null>(null);
  readonly catalogs = signal<ReadonlyMap<string, Catalog>>(new Map());
  readonly problem = signal<string | null>(null);
  readonly #world: VolunteerWorld;
  /** The node that runs or is starting; a promise, so that a stop during the start waits for it. */
  #handle: Promise<NodeHandle | null> | null = null;

  constructor(world: VolunteerWorld) {
    this.#world = world;
  }

  async readTasks(): Promise<void> {
    try {
      const { tasks } = await readTasks(this.#world.fetch);
      this.tasks.value = tasks;
      this.problem.value = null;
      await Promise.all(
        [...new Set(tasks.map(({ task }) => task.catalog))].map((id) => this.#readCatalog(id)),
      );
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  async #readCatalog(id: string): Promise<void> {
    const catalog = await readCatalog(this.#world.fetch, id);
    this.catalogs.value = new Map(this.catalogs.value).set(id, catalog);
  }

  async join(options: Omit<NodeOptions, "coordinator">): Promise<void> {
    if (this.#handle !== null) return;
    this.losses.value = [];
    this.node.value = INITIAL_STATE;
    const { coordinator, openNode } = this.#world;
    const handle = Promise.resolve()
      .then(() => openNode({ ...options, coordinator }, (state) => this.#onState(state)))
      .catch((error: unknown) => this.#onFailure(error));
    this.#handle = handle;
    await handle;
  }

  #onFailure(error: unknown): null {
    this.#handle = null;
    this.node.value = { ...(this.node.value ?? INITIAL_STATE), phase: "failed", error: describe(error) };
    return null;
  }

  #onState(state: NodeState): void {
    const before = this.node.value?.phase;
    this.node.value = state;
    // The campaign's own reason to wait counts this node only now.
    if (state.phase === "waiting" && before !== "waiting" && state.round === null) void this.readTasks();
    this.losses.value = withLoss(this.losses.value, state);
    if (isRunning(state.phase)) return;
    this.#handle = null;
    if (state.phase === "finished") void this.readTasks();
  }

  async pause(): Promise<void> {
    await (await this.#handle)?.pause();
  }

  async resume(): Promise<void> {
    await (await this.#handle)?.resume();
  }

  async stop(): Promise<void> {
    await (await this.#handle)?.stop();
    this.#handle = null;
    const state = this.node.value;
    if (state !== null && isRunning(state.phase)) this.node.value = { ...state, phase: "stopped" };
  }
}

function describe(error: unknown): NonNullable<NodeState["error"]> {
  if (error instanceof AstroScaleError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
