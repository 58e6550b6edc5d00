import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type Database from "better-sqlite3";
import { AstroScaleError } from "../../protocol/errors.ts";
import { BlobFiles, syncDirectory } from "./blob-files.ts";
import { ChangeHints } from "./change-hints.ts";
import { openDatabase } from "./database.ts";
import { DiskFault } from "./disk-fault.ts";
import { GroupCommit } from "./group-commit.ts";
import { jsonText } from "./json-text.ts";
import { LogTable } from "./log-table.ts";
import { RecordTable } from "./record-table.ts";
import type { Appended, JsonValue, LogEntry, Store, StoredRecord } from "./store.ts";
import { storeError } from "./store-error.ts";

/**
 * The embedded engine: records and logs in SQLite (`astroscale.sqlite`, write-ahead log, flushed at every
 * commit), blobs as files beside it (`blobs/`). One process at a time; the lock ends with the process.
 *
 * Changes made in one event-loop turn share a commit. After a disk failure all writes are refused until the
 * directory is opened again.
 *
 * @param directory created when missing
 * @throws {AstroScaleError} `store_unavailable` when another coordinator has the directory, when a newer
 * AstroScale wrote it, or when it cannot be read; `disk_full`
 */
export async function openEmbeddedStore(directory: string): Promise<Store> {
  await createDurably(resolve(directory));
  const database = openDatabase(join(directory, "astroscale.sqlite"));
  try {
    const fault = new DiskFault();
    const blobs = new BlobFiles(join(directory, "blobs"), fault);
    await blobs.prepare();
    await syncDirectory(directory);
    return new EmbeddedStore(database, blobs, fault);
  } catch (cause) {
    database.close();
    throw storeError(`open ${directory}`, cause);
  }
}

async function createDurably(directory: string): Promise<void> {
  try {
    const first = await mkdir(directory, { recursive: true });
    if (first === undefined) return;
    for (let made = directory; made.length >= first.length; made = dirname(made)) {
      await syncDirectory(dirname(made));
    }
  } catch (cause) {
    throw storeError(`create ${directory}`, cause);
  }
}

class EmbeddedStore implements Store {
  readonly #database: Database.Database;
  readonly #blobs: BlobFiles;
  readonly #records: RecordTable;
  readonly #logs: LogTable;
  readonly #probe: Database.Statement;
  readonly #commits: GroupCommit;
  readonly #hints = new ChangeHints();
  /** Blob calls under way, which `close` waits for. */
  readonly #busy = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(database: Database.Database, blobs: BlobFiles, fault: DiskFault) {
    this.#database = database;
    this.#blobs = blobs;
    this.#records = new RecordTable(database);
    this.#logs = new LogTable(database);
    this.#probe = database.prepare("UPDATE probe SET writes = writes + 1");
    this.#commits = new GroupCommit(database, fault);
  }

  async get(key: string): Promise<StoredRecord | null> {
    return this.#read(`record "${key}"`, () => this.#records.get(key));
  }

  async list(prefix: string): Promise<StoredRecord[]> {
    return this.#read(`records "${prefix}…"`, () => this.#records.list(prefix));
  }

  async swap(key: string, expected: number | null, value: JsonValue): Promise<StoredRecord | null> {
    this.#checkOpen();
    const text = jsonText(value);
    const version = await this.#commits.submit(() => this.#records.swap(key, expected, text));
    if (version === null) return null;
    this.#hints.changed(key);
    return { key, value: JSON.parse(text) as JsonValue, version };
  }

  async remove(key: string, expected: number): Promise<boolean> {
    this.#checkOpen();
    const removed = await this.#commits.submit(() => this.#records.remove(key, expected));
    if (removed) this.#hints.changed(key);
    return removed;
  }

  async putBlob(bytes: Uint8Array): Promise<string> {
    this.#checkOpen();
    return this.#track(this.#blobs.put(bytes));
  }

  async getBlob(digest: string): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#checkOpen();
    return this.#track(this.#blobs.get(digest));
  }

  async append(log: string, key: string, value: JsonValue): Promise<Appended> {
    this.#checkOpen();
    const text = jsonText(value);
    const result = await this.#commits.submit(() => this.#logs.append(log, key, text));
    if (result.appended) this.#hints.changed(log);
    return result;
  }

  async readLog(log: string, after = 0): Promise<LogEntry[]> {
    return this.#read(`log "${log}"`, () => this.#logs.read(log, after));
  }

  watch(listener: (name: string) => void): () => void {
    return this.#hints.watch(listener);
  }

  async check(): Promise<void> {
    this.#checkOpen();
    await Promise.all([this.#commits.submit(() => this.#probe.run()), this.#track(this.#blobs.check())]);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    this.#commits.flush();
    await Promise.allSettled(this.#busy);
    try {
      this.#database.close();
    } catch (cause) {
      throw storeError("close the database", cause);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new AstroScaleError("store_unavailable", "the store is closed");
  }

  #read<T>(what: string, work: () => T): T {
    this.#checkOpen();
    try {
      return work();
    } catch (cause) {
      throw storeError(`read ${what}`, cause);
    }
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    try {
      return await work;
    } finally {
      this.#busy.delete(work);
    }
  }
}
