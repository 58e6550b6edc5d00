import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb";

/**
 * Shard bytes kept between visits, by etag. A cache never fails its caller: whatever the browser's storage does,
 * `get` gives `null` and `put` returns.
 */
export interface ShardCache {
  /** The bytes under `etag`, marked as just used; `null` when they are not here. */
  get(etag: string): Promise<Uint8Array<ArrayBuffer> | null>;

  /** Keeps `bytes`, dropping the least recently used others while all together exceed `maxBytes`. */
  put(etag: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;

  /** Drops what is under `etag`. */
  remove(etag: string): Promise<void>;

  /** Closes the database; the next call opens it again. */
  close(): Promise<void>;
}

/** How a cache is opened. */
export interface ShardCacheOptions {
  /** The database's name. */
  readonly name: string;
  /** Bound on the kept bytes together. */
  readonly maxBytes: number;
  /** Milliseconds on any clock that does not run backwards between visits. */
  readonly nowMs: () => number;
}

interface Entry {
  readonly etag: string;
  readonly size: number;
  readonly usedAtMs: number;
}

interface CacheSchema extends DBSchema {
  /** Sizes and times apart from the bytes, so that eviction reads no bytes. */
  entries: { key: string; value: Entry };
  bytes: { key: string; value: Uint8Array<ArrayBuffer> };
}

type Database = IDBPDatabase<CacheSchema>;

const STORES: ["entries", "bytes"] = ["entries", "bytes"];

/** A cache in IndexedDB, or one that keeps nothing where there is none (a private window, Node). */
export function openShardCache({ name, maxBytes, nowMs }: ShardCacheOptions): ShardCache {
  let opened: Promise<Database> | null = null;

  const close = async (): Promise<void> => {
    const closing = opened;
    opened = null;
    await closing?.then(
      (database) => database.close(),
      () => undefined,
    );
  };
  const open = (): Promise<Database> => {
    opened ??= openDB<CacheSchema>(name, 1, {
      upgrade(database) {
        database.createObjectStore("entries", { keyPath: "etag" });
        database.createObjectStore("bytes");
      },
      // Another tab deletes the database: let it.
      blocking: () => void close(),
      // The browser closed it, for want of space or because site data were cleared.
      terminated: () => {
        opened = null;
      },
    });
    return opened;
  };
  const attempt = async <Result>(
    work: (database: Database) => Promise<Result>,
    otherwise: Result,
  ): Promise<Result> => {
    // Twice, because the first connection may have been closed under us.
    for (let tries = 0; tries < 2; tries++) {
      try {
        return await work(await open());
      } catch {
        // What is not in the cache is downloaded: nothing depends on why it failed.
        await close();
      }
    }
    return otherwise;
  };

  return {
    get: (etag) => attempt((database) => readEntry(database, etag, nowMs()), null),
    put: (etag, bytes) =>
      attempt(async (database) => {
        if (bytes.length > maxBytes) return;
        const entry = { etag, size: bytes.length, usedAtMs: nowMs() };
        if (await writeEntry(database, entry, { bytes, maxBytes })) return;
        await evict(database, 0.5);
        await writeEntry(database, entry, { bytes, maxBytes });
      }, undefined),
    remove: (etag) => attempt((database) => removeEntry(database, etag), undefined),
    close,
  };
}

type Store<Name extends (typeof STORES)[number]> = IDBPObjectStore<
  CacheSchema,
  typeof STORES,
  Name,
  "readwrite"
>;

/** Runs `work` in one transaction, all or nothing; rejects with what ended it. */
async function transact<Result>(
  database: Database,
  work: (entries: Store<"entries">, bytes: Store<"bytes">) => Promise<Result>,
): Promise<Result> {
  const transaction = database.transaction(STORES, "readwrite");
  const [result] = await Promise.all([
    work(transaction.objectStore("entries"), transaction.objectStore("bytes")),
    transaction.done,
  ]);
  return result;
}

function readEntry(
  database: Database,
  etag: string,
  usedAtMs: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  return transact(database, async (entries, bytes) => {
    const [entry, found] = await Promise.all([entries.get(etag), bytes.get(etag)]);
    if (entry) await entries.put({ ...entry, usedAtMs });
    return found ?? null;
  });
}

/** Makes room and writes; `false` when the browser gives no more space. */
async function writeEntry(
  database: Database,
  entry: Entry,
  { bytes, maxBytes }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly maxBytes: number },
): Promise<boolean> {
  try {
    await transact(database, async (entries, stored) => {
      const others = (await entries.getAll()).filter(({ etag }) => etag !== entry.etag);
      await Promise.all([
        ...leastRecentlyUsed(others, maxBytes - entry.size).flatMap((etag) => [
          entries.delete(etag),
          stored.delete(etag),
        ]),
        entries.put(entry),
        stored.put(bytes, entry.etag),
      ]);
    });
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
}

/** Drops the least recently used entries until at most `share` of the present bytes are left. */
function evict(database: Database, share: number): Promise<void> {
  return transact(database, async (entries, bytes) => {
    const all = await entries.getAll();
    const total = all.reduce((sum, { size }) => sum + size, 0);
    const dropped = leastRecentlyUsed(all, total * share);
    await Promise.all(dropped.flatMap((etag) => [entries.delete(etag), bytes.delete(etag)]));
  });
}

function removeEntry(database: Database, etag: string): Promise<void> {
  return transact(database, async (entries, bytes) => {
    await Promise.all([entries.delete(etag), bytes.delete(etag)]);
  });
}

/** The entries to drop so that the others, the latest used, have at most `keepBytes` together. */
function leastRecentlyUsed(entries: readonly Entry[], keepBytes: number): string[] {
  let kept = 0;
  return entries
    .toSorted((a, b) => b.usedAtMs - a.usedAtMs)
    .filter(({ size }) => {
      kept += size;
      return kept > keepBytes;
    })
    .map(({ etag }) => etag);
}
