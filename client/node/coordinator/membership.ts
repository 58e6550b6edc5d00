import type { NodeCapabilities } from "../../../protocol/nodes.ts";
import type { NodeOptions } from "../state.ts";
import type { CoordinatorApi } from "./coordinator-api.ts";
import type { Persist } from "./persist.ts";
import type { NodeSession, SessionSlot } from "./session.ts";

/** What joining needs of its node. */
export interface MembershipOptions {
  readonly api: CoordinatorApi;
  readonly options: NodeOptions;
  readonly takeSlot: (coordinator: string) => Promise<SessionSlot>;
  readonly persist: Persist;
}

const LEAVE_TIMEOUT_MS = 3_000;

/** The node's standing with its coordinator: who it is, kept over reloads until it leaves. */
export class Membership {
  readonly #options: MembershipOptions;
  #slot: SessionSlot | null = null;
  #session: NodeSession | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** The session, or `null` before the node joined. */
  get session(): NodeSession | null {
    return this.#session;
  }

  /**
   * Takes a place, and the session that an earlier run left there, when it is for the same coordinator, name and
   * task. Whether the coordinator still knows it shows at the next call.
   *
   * @returns `null` when there is none, so that the node has to `join`
   */
  async find(): Promise<NodeSession | null> {
    const { coordinator, name, task } = this.#options.options;
    this.#slot = await this.#options.takeSlot(coordinator);
    const stored = await this.#slot.load();
    const fits =
      stored?.coordinator === coordinator && stored.name === name && (task === null || task === stored.task);
    this.#session = fits ? stored : null;
    return this.#session;
  }

  /** A new session. @throws {AstroScaleError} the coordinator's code when it refuses the join */
  async join(capabilities: NodeCapabilities, signal: AbortSignal): Promise<NodeSession> {
    const { api, options, persist } = this.#options;
    const { coordinator, name, task } = options;
    const request = { name, capabilities, ...(task === null ? {} : { task }) };
    const reply = await persist(() => api.join(request, signal), signal);
    this.#session = { ...reply, coordinator, name };
    await this.#slot?.save(this.#session);
    return this.#session;
  }

  /**
   * Leaves, forgets the session and frees its place. A coordinator that cannot be told will miss the
   * heartbeats.
   */
  async leave(): Promise<void> {
    const slot = this.#slot;
    const session = this.#session;
    this.#slot = null;
    this.#session = null;
    try {
      if (session === null) return;
      const signal = AbortSignal.timeout(LEAVE_TIMEOUT_MS);
      await Promise.all([
        slot?.clear(),
        this.#options.api.leave(session.token, signal).catch(() => undefined),
      ]);
    } finally {
      await slot?.release();
    }
  }
}
