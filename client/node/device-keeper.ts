import { AstroScaleError } from "../../protocol/errors.ts";
import type { Backend } from "../backend/backend.ts";
import type { OpenedBackend } from "../backend/open.ts";
import type { BackendChoice } from "./state.ts";

/** How often a lost device is opened again before the node goes on with WebAssembly. */
const MAX_REOPENS = 2;

/** Opens a backend: `openBackend`, or a test's own. */
export type BackendOpener = (choice: BackendChoice) => Promise<OpenedBackend>;

/** Owns the node's device: opens it, notices its loss, replaces it. */
export class DeviceKeeper {
  readonly #open: BackendOpener;
  readonly #choice: BackendChoice;
  #backend: Backend | null = null;
  #lost = new AbortController();
  #losses = 0;

  constructor(open: BackendOpener, choice: BackendChoice) {
    this.#open = open;
    this.#choice = choice;
  }

  /** The open device. */
  get backend(): Backend {
    if (this.#backend === null) throw new Error("unreachable: the device is not open");
    return this.#backend;
  }

  /** Aborts with `device_lost` when the open device goes away. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Opens the device.
   *
   * @returns what the volunteer should know, or `null`
   * @throws {AstroScaleError} `device_unavailable` when not even WebAssembly works
   */
  async open(choice: BackendChoice = this.#choice): Promise<string | null> {
    const { backend, notice } = await this.#open(choice);
    const lost = new AbortController();
    void backend.lost.then((reason) => lost.abort(new AstroScaleError("device_lost", reason)));
    this.#backend = backend;
    this.#lost = lost;
    return notice;
  }

  /**
   * Replaces a lost device: by the same kind twice, then by WebAssembly.
   *
   * @param persist repeats the opening while what it needs cannot be downloaded
   * @returns what happened, for the volunteer
   * @throws {AstroScaleError} `device_unavailable` when the lost device was WebAssembly or nothing opens
   */
  async replace(
    lost: AstroScaleError,
    persist: (open: () => Promise<string | null>) => Promise<string | null>,
  ): Promise<string> {
    const before = this.backend.name;
    if (before === "wasm") {
      throw new AstroScaleError("device_unavailable", `webassembly failed: ${lost.message}`, { cause: lost });
    }
    this.dispose();
    this.#losses += 1;
    const choice = this.#losses > MAX_REOPENS ? "wasm" : this.#choice;
    const notice = await persist(() => this.open(choice));
    const now = this.backend.name;
    const how = now === before ? "opened it again" : `going on with ${now}`;
    return [`the ${before} device was lost (${lost.message}): ${how}`, notice].filter(Boolean).join("; ");
  }

  /** Forgets earlier losses: the device has done a whole round's work since. */
  proven(): void {
    this.#losses = 0;
  }

  /** Frees the device. */
  dispose(): void {
    this.#backend?.dispose();
    this.#backend = null;
  }
}
