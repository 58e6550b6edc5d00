import { AstroScaleError } from "../../protocol/errors.ts";
import type { TaskSpec } from "../../protocol/tasks.ts";
import type { Store } from "../store/store.ts";
import { newRoundRecord, RoundRecord, UpdateEntry } from "./round-record.ts";

/** One task's rounds on disk: a record a round, a log of accepted updates a round, files as blobs. */
export class RoundBook {
  readonly #store: Store;
  readonly #task: TaskSpec;
  /** Version of the newest record; records before it are closed and never change. */
  #version: number | null = null;

  constructor(store: Store, task: TaskSpec) {
    this.#store = store;
    this.#task = task;
  }

  #key(round: number): string {
    return `rounds/${this.#task.id}/${String(round).padStart(6, "0")}`;
  }

  #log(round: number): string {
    return `updates/${this.#task.id}/${round}`;
  }

  /** Every round from 0 to the newest; a new task gets its round 0 here. */
  async load(): Promise<RoundRecord[]> {
    const stored = await this.#store.list(`rounds/${this.#task.id}/`);
    this.#version = stored.at(-1)?.version ?? null;
    if (stored.length > 0) return stored.map(({ value }) => RoundRecord.parse(value));
    const first = newRoundRecord(this.#task, 0);
    await this.save(first);
    return [first];
  }

  /**
   * Writes the newest round's record.
   *
   * @throws {AstroScaleError} `store_unavailable` when another coordinator has written it meanwhile
   */
  async save(record: RoundRecord): Promise<void> {
    const key = this.#key(record.status.round);
    const swapped = await this.#store.swap(key, this.#version, record);
    if (!swapped) {
      throw new AstroScaleError("store_unavailable", `record ${key} was changed by another coordinator`);
    }
    this.#version = swapped.version;
  }

  /** Begins the next round's record; the one before is closed for good. */
  async begin(record: RoundRecord): Promise<void> {
    this.#version = null;
    await this.save(record);
  }

  /**
   * Puts an update on disk, once per node and round.
   *
   * @returns the entry that counts, and whether it is this one
   */
  async append(
    round: number,
    entry: UpdateEntry,
    bytes: Uint8Array,
  ): Promise<{ entry: UpdateEntry; appended: boolean }> {
    await this.#store.putBlob(bytes);
    const { nodeId } = entry.participant;
    const done = await this.#store.append(this.#log(round), nodeId, entry);
    return { entry: UpdateEntry.parse(done.entry.value), appended: done.appended };
  }

  /** Accepted updates of a round, by node id: a fixed order whatever the order of arrival. */
  async updates(round: number): Promise<UpdateEntry[]> {
    const entries = (await this.#store.readLog(this.#log(round))).map(({ value }) =>
      UpdateEntry.parse(value),
    );
    return entries.toSorted((a, b) => (a.participant.nodeId < b.participant.nodeId ? -1 : 1));
  }

  /** @throws {AstroScaleError} `store_unavailable` when the file is not there */
  async file(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#store.getBlob(digest);
    if (!bytes) throw new AstroScaleError("store_unavailable", `file ${digest} is missing from the store`);
    return bytes;
  }

  putFile(bytes: Uint8Array): Promise<string> {
    return this.#store.putBlob(bytes);
  }
}
