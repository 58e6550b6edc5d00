/** A value as JSON carries it. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A record and the version that `swap` compares. */
export interface StoredRecord {
  readonly key: string;
  readonly value: JsonValue;
  /** Grows by one at every swap; the first is 1. */
  readonly version: number;
}

/** One entry of an append-only log. */
export interface LogEntry {
  /** Position in its log, from 1, without gaps. */
  readonly sequence: number;
  /** The permanent idempotency key it was appended under. */
  readonly key: string;
  readonly value: JsonValue;
}

/** What `append` found or made. */
export interface Appended {
  readonly entry: LogEntry;
  /** `false` when the key was there already: `entry` is the first writer's. */
  readonly appended: boolean;
}

/**
 * The one seam to disk: compare-and-swap on small records, immutable content-addressed blobs, append under a
 * permanent idempotency key, and change hints. No transaction spans two calls, there is no lock and no server
 * clock, so an embedded and a distributed engine can both stand behind it.
 *
 * A promise of `swap`, `remove`, `putBlob` and `append` resolves only when the change survives a power cut.
 * Every method throws `AstroScaleError` `store_unavailable` when the outcome is unknown (read again to learn
 * it) and `disk_full` when nothing was written for want of space.
 *
 * Source: docs/architecture.md, "The store".
 */
export interface Store {
  get(key: string): Promise<StoredRecord | null>;

  /** Records whose key starts with `prefix`, in key order. */
  list(prefix: string): Promise<StoredRecord[]>;

  /**
   * Writes `value` if the record's version is `expected` (`null`: if there is no record).
   *
   * @returns the new record, or `null` when another writer was first
   */
  swap(key: string, expected: number | null, value: JsonValue): Promise<StoredRecord | null>;

  /** Removes the record if its version is `expected`. @returns whether it was removed */
  remove(key: string, expected: number): Promise<boolean>;

  /** @returns the SHA-256 of `bytes`, lower-case hexadecimal, under which `getBlob` finds them */
  putBlob(bytes: Uint8Array): Promise<string>;

  /** @returns the bytes, or `null` when there is no such blob; damaged bytes are `store_unavailable` */
  getBlob(digest: string): Promise<Uint8Array<ArrayBuffer> | null>;

  /** Appends under `key`, or finds what is there under it. */
  append(log: string, key: string, value: JsonValue): Promise<Appended>;

  /** Entries with `sequence > after`, in order. */
  readLog(log: string, after?: number): Promise<LogEntry[]>;

  /**
   * Calls `listener` with keys and log names that may have changed. A hint: it can coalesce and repeat, and
   * one may be missed across a reconnection, so a listener reads again and a reader also has a timer.
   *
   * @returns stops watching
   */
  watch(listener: (name: string) => void): () => void;

  /** Resolves when the store can write now. @throws {AstroScaleError} `store_unavailable` or `disk_full` */
  check(): Promise<void>;

  close(): Promise<void>;
}
