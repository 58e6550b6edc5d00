import type { LocalTraining } from "../../../../../protocol/local-training.ts";
import type { LocalStart } from "../../../backend.ts";
import { Buffers } from "../../buffers.ts";
import type { Gpu } from "../../device.ts";
import { type Plan, packParameters } from "../plan.ts";
import { allocateGroups } from "./network-buffers.ts";

/** `w0` and the correction of each parameter group; `null` where a term is off or was never on. */
export interface TermBuffers {
  readonly anchor: readonly GPUBuffer[] | null;
  readonly correction: readonly GPUBuffer[] | null;
}

/**
 * What holds a node's training to the federation, on the device. Its vectors are allocated when a round first needs
 * them, and kept.
 */
export class LocalTerms {
  readonly #gpu: Gpu;
  readonly #plan: Plan;
  readonly #owners: Buffers[] = [];
  #buffers: TermBuffers = { anchor: null, correction: null };

  constructor(gpu: Gpu, plan: Plan) {
    this.#gpu = gpu;
    this.#plan = plan;
  }

  /** The vectors, with room for what `start` needs. @throws {AstroScaleError} `out_of_memory`; `device_lost` */
  async reserve({ proximalMu, correction }: LocalStart): Promise<TermBuffers> {
    const held = this.#buffers;
    const anchor = held.anchor ?? (proximalMu === 0 ? null : await this.#allocate("first parameters"));
    this.#buffers = { ...held, anchor };
    if (correction !== null && held.correction === null) {
      this.#buffers = { anchor, correction: await this.#allocate("correction") };
    }
    return this.#buffers;
  }

  /** Copies the terms of `start`, whose vectors are reserved. @param terms the uniform `Terms` of terms.wgsl */
  write(start: LocalStart, { l2, gradientClipNorm }: LocalTraining, terms: GPUBuffer): void {
    const { proximalMu, correction } = start;
    const words = new ArrayBuffer(16);
    new Float32Array(words).set([l2, proximalMu, 0, gradientClipNorm ?? 0]);
    new Uint32Array(words).set([correction === null ? 0 : 1], 2);
    this.#gpu.device.queue.writeBuffer(terms, 0, words);
    if (proximalMu !== 0) this.#fill(this.#buffers.anchor, start.parameters);
    if (correction !== null) this.#fill(this.#buffers.correction, correction);
  }

  dispose(): void {
    for (const owner of this.#owners.splice(0)) owner.dispose();
  }

  async #allocate(label: string): Promise<readonly GPUBuffer[]> {
    const buffers = new Buffers(this.#gpu);
    const made = await this.#gpu.allocated(
      () => allocateGroups(buffers, this.#plan, { label }),
      () => buffers.dispose(),
    );
    this.#owners.push(buffers);
    return made;
  }

  #fill(groups: readonly GPUBuffer[] | null, flat: Float32Array<ArrayBuffer>): void {
    const values = packParameters(this.#plan, flat);
    groups?.forEach((buffer, g) => {
      const group = values[g];
      if (group) this.#gpu.device.queue.writeBuffer(buffer, 0, group);
    });
  }
}
