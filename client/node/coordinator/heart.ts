import { AstroScaleError } from "../../../protocol/errors.ts";
import type { Heartbeat, NodePhase } from "../../../protocol/nodes.ts";
import type { Clock } from "../clock.ts";
import type { NodeState } from "../state.ts";
import type { CoordinatorApi } from "./coordinator-api.ts";
import type { Membership } from "./membership.ts";

/** What the coordinator is told of each phase. */
const HEARTBEAT_STATES: Readonly<Record<NodePhase, Heartbeat["state"]>> = {
  joining: "waiting",
  waiting: "waiting",
  downloading: "downloading",
  preprocessing: "preprocessing",
  training: "training",
  sending: "sending",
  paused: "paused",
  reconnecting: "waiting",
  stopped: "waiting",
  finished: "waiting",
  failed: "waiting",
};

/** What the heart needs of its node. */
export interface HeartOptions {
  readonly api: CoordinatorApi;
  readonly clock: Clock;
  readonly membership: Membership;
  readonly state: () => NodeState;
}

/** Tells the coordinator that the node lives, and learns which round is open. */
export class Heart {
  readonly #options: HeartOptions;
  /** The open round as last heard, or `null`. */
  openRound: number | null = null;

  constructor(options: HeartOptions) {
    this.#options = options;
  }

  /** Beats twice in every `heartbeatSecs` until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, membership } = this.#options;
    while (!signal.aborted) {
      const seconds = (membership.session?.heartbeatSecs ?? 1) / 2;
      try {
        await clock.sleep(seconds * 1_000, signal);
      } catch {
        return; // aborted
      }
      await this.beat(signal);
    }
  }

  /** One heartbeat. A refusal or a coordinator that is away shows at the node's next real call. */
  async beat(signal: AbortSignal): Promise<void> {
    const { api, membership, state } = this.#options;
    const { session } = membership;
    const heartbeat = heartbeatOf(state());
    if (session === null || heartbeat === null) return;
    try {
      const { round } = await api.heartbeat(session.token, heartbeat, signal);
      // The answer may belong to a session that has been replaced meanwhile.
      if (membership.session === session) this.openRound = round;
    } catch (error) {
      if (!signal.aborted && !(error instanceof AstroScaleError)) throw error;
    }
  }
}

/** What the coordinator is told of a state; `null` while nothing computes. */
function heartbeatOf({
  phase,
  backend,
  device,
  probes,
  fault,
  examplesPerSecond,
}: NodeState): Heartbeat | null {
  if (backend === null) return null;
  return {
    state: HEARTBEAT_STATES[phase],
    backend,
    examplesPerSecond,
    device: (device ?? "").slice(0, 200),
    ...(probes.length === 0 ? {} : { probes: [...probes] }),
    fault,
  };
}
