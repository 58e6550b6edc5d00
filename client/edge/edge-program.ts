import { EdgeOrder, type EdgeReport, type ModelOrder, type VolunteerOrder } from "../../protocol/edge.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { Backend } from "../backend/backend.ts";
import { Volunteer } from "../node/volunteer.ts";
import { openEdgeBackend } from "./edge-backend.ts";
import { edgeWorld } from "./edge-world.ts";
import { modelOutputs } from "./held-model.ts";

/** What an edge process does with the orders it gets, one at a time. */
export class EdgeProgram {
  /** Resolves when the process has nothing more to do. */
  readonly ended: Promise<void>;
  readonly #report: (report: EdgeReport) => void;
  #end: () => void = () => {};
  #node: Volunteer | null = null;
  #held: { readonly model: ModelOrder; readonly backend: Backend } | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor(report: (report: EdgeReport) => void) {
    this.#report = report;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Does what `order` says after what was ordered before; a failure is reported. */
  take(order: unknown): void {
    const parsed = EdgeOrder.safeParse(order);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
      this.#report({ kind: "failed", code: "invalid_request", message: problems.join("; ") });
    } else if (parsed.data.kind === "stop") {
      void this.stop();
    } else {
      const { data } = parsed;
      this.#turn = this.#turn.then(() => this.#obey(data)).catch((error) => this.#fail(error));
    }
  }

  /** Leaves what it takes part in and ends. */
  async stop(): Promise<void> {
    await this.#node?.stop();
    this.#held?.backend.dispose();
    this.#held = null;
    this.#end();
  }

  async #obey(order: Exclude<EdgeOrder, { kind: "stop" }>): Promise<void> {
    switch (order.kind) {
      case "volunteer":
        return this.#volunteer(order);
      case "model":
        return this.#hold(order);
      case "rows": {
        if (this.#held === null) throw new AstroScaleError("invalid_request", "rows before a model");
        const { backend, model } = this.#held;
        this.#report({ kind: "outputs", outputs: await modelOutputs(backend, model, order) });
      }
    }
  }

  async #volunteer({ kind: _kind, stateDirectory, ...options }: VolunteerOrder): Promise<void> {
    if (this.#node !== null) throw new AstroScaleError("invalid_request", "one node a process");
    const world = edgeWorld(options, stateDirectory);
    this.#node = new Volunteer(options, world, (state) => this.#report({ kind: "state", state }));
    void this.#node.ended.then(this.#end);
  }

  async #hold(model: ModelOrder): Promise<void> {
    this.#held?.backend.dispose();
    // Outputs take one pass: no device pays for being waited for.
    const choice = model.backend === "auto" ? "wasm" : model.backend;
    const { backend, notice } = await openEdgeBackend(choice, { threads: 1 });
    this.#held = { model, backend };
    this.#report({ kind: "ready", backend: backend.name, device: backend.device, notice });
  }

  #fail(error: unknown): void {
    const code = error instanceof AstroScaleError ? error.code : "internal";
    this.#report({ kind: "failed", code, message: error instanceof Error ? error.message : String(error) });
  }
}
