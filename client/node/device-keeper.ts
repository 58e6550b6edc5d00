import { AstroScaleError } from "../../protocol/errors.ts";
import type { BackendName, BackendProbe } from "../../protocol/nodes.ts";
import type { Backend } from "../backend/backend.ts";
import { calibrate, fastest, type ProbedWork, warmUp } from "../backend/calibration.ts";
import type { OpenedBackend } from "../backend/open.ts";
import type { Clock } from "./clock.ts";
import { hasCode } from "./coordinator/persist.ts";
import type { BackendChoice } from "./state.ts";

/** How often a device that failed is opened again before the node goes on with WebAssembly. */
const MAX_REOPENS = 2;

/** Opens a backend: `openBackend`, or a test's own. */
export type BackendOpener = (choice: BackendChoice) => Promise<OpenedBackend>;

/** Owns the node's device: opens it, finds out which is the faster, notices its loss, replaces it. */
export class DeviceKeeper {
  readonly #open: BackendOpener;
  readonly #choice: BackendChoice;
  readonly #clock: Clock;
  #backend: Backend | null = null;
  #lost = new AbortController();
  #failures = 0;
  #probes: readonly BackendProbe[] = [];
  /** What may turn out to be faster; `null` when there is none, or none any more. */
  #rival: Promise<Backend | null> | null = null;
  /** The rival once it is warm, until it is measured. */
  #warm: Backend | null = null;
  #warming = false;
  #disposed = false;

  constructor(open: BackendOpener, choice: BackendChoice, clock: Clock) {
    this.#open = open;
    this.#choice = choice;
    this.#clock = clock;
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

  /** What the choice of the device rests on; empty while nothing was measured. */
  get probes(): readonly BackendProbe[] {
    return this.#probes;
  }

  /**
   * Opens the device.
   *
   * @returns what the volunteer should know, or `null`
   * @throws {AstroScaleError} `device_unavailable` when not even WebAssembly works
   */
  async open(): Promise<string | null> {
    const { backend, notice, rival } = await this.#open(this.#choice);
    this.#rival = rival;
    this.#adopt(backend);
    return notice;
  }

  #adopt(backend: Backend): void {
    const lost = new AbortController();
    void backend.lost.then((reason) => lost.abort(new AstroScaleError("device_lost", reason)));
    this.#backend = backend;
    this.#lost = lost;
  }

  /** Starts to compile for the work on every device there is. What fails shows when the work begins. */
  prepare(work: ProbedWork): void {
    this.backend.prepare(work.model, work.training).catch(() => {});
    if (this.#rival === null || this.#warming) return;
    this.#warming = true;
    void this.#rival.then((rival) => (rival === null ? undefined : this.#warmUp(rival, work)));
  }

  async #warmUp(rival: Backend, work: ProbedWork): Promise<void> {
    const works = await warmUp(rival, work, this.#clock);
    if (works && !this.#disposed) {
      this.#warm = rival;
      return;
    }
    const { name, device } = rival;
    this.#probes = [{ backend: name, device: device.slice(0, 200), examplesPerSecond: null }];
    this.#rival = null;
    rival.dispose();
  }

  /**
   * Measures the device against its rival, once the rival is warm and never twice, and goes on with the faster. A
   * rival that is not warm yet is not waited for: the work goes on, and the next call may find it. The choice
   * stays for the node's life: the slower device is given back, and another task of the same kind of model
   * would choose the same.
   *
   * @param onSwitch called before the present device is disposed of
   */
  async calibrate(work: ProbedWork, onSwitch: () => void): Promise<void> {
    if (this.#rival !== null) this.prepare(work);
    const rival = this.#warm;
    if (rival === null) return;
    const backend = this.backend;
    const probes = await calibrate([backend, rival], work, this.#clock);
    if (this.#disposed) return;
    this.#warm = null;
    this.#rival = null;
    this.#probes = probes;
    if (fastest(probes) === 0) {
      rival.dispose();
      return;
    }
    onSwitch();
    this.#adopt(rival);
    backend.dispose();
  }

  /**
   * Replaces a device that was lost or failed: by the same kind twice, then by WebAssembly; at once by
   * WebAssembly where the work is too large for the device.
   *
   * @param persist repeats the opening while what it needs cannot be downloaded
   * @returns what happened, for the volunteer
   * @throws {AstroScaleError} `fault` when WebAssembly has too little memory; `device_unavailable` when it failed
   * otherwise or nothing opens
   */
  async replace(
    fault: AstroScaleError,
    persist: (open: () => Promise<OpenedBackend>) => Promise<OpenedBackend>,
  ): Promise<string> {
    const before = this.backend.name;
    this.#failures += 1;
    const isHopeless = this.#failures > MAX_REOPENS || fault.code === "too_large";
    if (isHopeless && before === "wasm") throw lastResortFailed(fault);
    this.#backend?.dispose();
    this.#backend = null;
    const choice: BackendName = isHopeless ? "wasm" : before;
    const { backend, notice } = await persist(() => this.#open(choice));
    this.#adopt(backend);
    if (backend.name !== before) this.#failures = 0;
    const what = fault.code === "device_lost" ? "was lost" : "failed";
    const how = backend.name === before ? "opened it again" : `going on with ${backend.name}`;
    return [`the ${before} device ${what} (${fault.message}): ${how}`, notice].filter(Boolean).join("; ");
  }

  /** Forgets earlier failures: the device has done a whole round's work since. */
  proven(): void {
    this.#failures = 0;
  }

  /** Frees the devices. */
  dispose(): void {
    this.#disposed = true;
    this.#backend?.dispose();
    this.#backend = null;
    if (this.#warm === null && this.#warming) return; // whoever warms it up disposes of it
    void this.#rival?.then((rival) => rival?.dispose());
  }
}

function lastResortFailed(fault: AstroScaleError): AstroScaleError {
  if (hasCode(fault, "out_of_memory", "too_large")) return fault;
  return new AstroScaleError("device_unavailable", `webassembly failed: ${fault.message}`, { cause: fault });
}
