import type { OpenedBackend, OpenOptions } from "../backend/open.ts";
import type { RowSource } from "../training/training-rows.ts";
import type { Clock } from "./clock.ts";
import type { Fetch } from "./coordinator/coordinator-api.ts";
import type { SessionSlot } from "./coordinator/session.ts";
import type { BackendChoice } from "./state.ts";

/** Everything a node touches outside itself; the worker passes the browser's, tests their own. */
export interface NodeWorld {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Uniform in [0, 1), for back-off only. */
  readonly random: () => number;
  /** A fresh UUID, for idempotency keys. */
  readonly uuid: () => string;
  readonly openBackend: (choice: BackendChoice, options: OpenOptions) => Promise<OpenedBackend>;
  readonly rows: RowSource;
  readonly takeSlot: (coordinator: string) => Promise<SessionSlot>;
  /** `navigator.hardwareConcurrency` */
  readonly threads: number;
}
