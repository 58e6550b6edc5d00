import type Database from "better-sqlite3";
import type { JsonValue, StoredRecord } from "./store.ts";

interface Row {
  readonly key: string;
  readonly version: number;
  readonly value: string;
}

function record({ key, version, value }: Row): StoredRecord {
  return { key, value: JSON.parse(value) as JsonValue, version };
}

/** The `records` table. Synchronous; a change is durable when the transaction around it is committed. */
export class RecordTable {
  readonly #get: Database.Statement<[string], Row>;
  readonly #from: Database.Statement<[string], Row>;
  readonly #insert: Database.Statement<[string, string]>;
  readonly #update: Database.Statement<[string, string, number]>;
  readonly #delete: Database.Statement<[string, number]>;

  constructor(database: Database.Database) {
    this.#get = database.prepare("SELECT key, version, value FROM records WHERE key = ?");
    this.#from = database.prepare("SELECT key, version, value FROM records WHERE key >= ? ORDER BY key");
    this.#insert = database.prepare("INSERT INTO records VALUES (?, 1, ?) ON CONFLICT (key) DO NOTHING");
    this.#update = database.prepare(
      "UPDATE records SET value = ?, version = version + 1 WHERE key = ? AND version = ?",
    );
    this.#delete = database.prepare("DELETE FROM records WHERE key = ? AND version = ?");
  }

  get(key: string): StoredRecord | null {
    const row = this.#get.get(key);
    return row ? record(row) : null;
  }

  /** Records whose key starts with `prefix`, by code points. */
  list(prefix: string): StoredRecord[] {
    const found: StoredRecord[] = [];
    for (const row of this.#from.iterate(prefix)) {
      if (!row.key.startsWith(prefix)) break;
      found.push(record(row));
    }
    return found;
  }

  /** @returns the version written, or `null` when the version found is not `expected` */
  swap(key: string, expected: number | null, text: string): number | null {
    if (expected === null) return this.#insert.run(key, text).changes === 1 ? 1 : null;
    return this.#update.run(text, key, expected).changes === 1 ? expected + 1 : null;
  }

  remove(key: string, expected: number): boolean {
    return this.#delete.run(key, expected).changes === 1;
  }
}
