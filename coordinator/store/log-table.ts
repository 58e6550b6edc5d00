import type Database from "better-sqlite3";
import type { Appended, JsonValue, LogEntry } from "./store.ts";

interface Row {
  readonly sequence: number;
  readonly key: string;
  readonly value: string;
}

function entry({ sequence, key, value }: Row): LogEntry {
  return { sequence, key, value: JSON.parse(value) as JsonValue };
}

/** The `logs` table. Synchronous; an entry is durable when the transaction around it is committed. */
export class LogTable {
  readonly #find: Database.Statement<[string, string], Row>;
  readonly #last: Database.Statement<[string], { readonly sequence: number }>;
  readonly #insert: Database.Statement<[string, number, string, string]>;
  readonly #after: Database.Statement<[string, number], Row>;

  constructor(database: Database.Database) {
    this.#find = database.prepare("SELECT sequence, key, value FROM logs WHERE log = ? AND key = ?");
    this.#last = database.prepare("SELECT coalesce(max(sequence), 0) AS sequence FROM logs WHERE log = ?");
    this.#insert = database.prepare("INSERT INTO logs VALUES (?, ?, ?, ?)");
    this.#after = database.prepare(
      "SELECT sequence, key, value FROM logs WHERE log = ? AND sequence > ? ORDER BY sequence",
    );
  }

  /** Appends unless `key` is in the log already; inside a transaction, so that sequences have no gaps. */
  append(log: string, key: string, text: string): Appended {
    const found = this.#find.get(log, key);
    if (found) return { entry: entry(found), appended: false };
    const sequence = (this.#last.get(log)?.sequence ?? 0) + 1;
    this.#insert.run(log, sequence, key, text);
    return { entry: entry({ sequence, key, value: text }), appended: true };
  }

  /** Entries with a sequence above `after`, in order. */
  read(log: string, after: number): LogEntry[] {
    return this.#after.all(log, after).map(entry);
  }
}
