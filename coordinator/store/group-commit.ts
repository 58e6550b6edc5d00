import type Database from "better-sqlite3";
import { type DiskFault, isDiskFailure } from "./disk-fault.ts";
import { storeError } from "./store-error.ts";

interface PendingChange {
  /** Does the change inside a transaction; what it returns tells the caller, and is called after the commit. */
  readonly apply: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the changes of one event-loop turn in one transaction, so that a hundred changes cost one flush.
 * Each is answered only after the commit.
 */
export class GroupCommit {
  readonly #database: Database.Database;
  readonly #fault: DiskFault;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  #pending: PendingChange[] = [];

  constructor(database: Database.Database, fault: DiskFault) {
    this.#database = database;
    this.#fault = fault;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /**
   * What `change` returned, once it is committed and flushed.
   *
   * @param change one writing statement at most: SQLite undoes a failed statement, not the ones before it
   * @throws {AstroScaleError} `store_unavailable` or `disk_full`
   */
  submit<T>(change: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#pending.length === 0) setImmediate(() => this.flush());
      const apply = (): (() => void) => {
        const result = change();
        return () => resolve(result);
      };
      this.#pending.push({ apply, reject });
    });
  }

  /** Commits what is pending now. */
  flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length > 0) this.#commitTogether(batch);
  }

  #commitTogether(batch: readonly PendingChange[]): void {
    let answers: (() => void)[];
    try {
      answers = this.#transact(batch);
    } catch (cause) {
      this.#undo();
      const error = this.#fault.writeError("commit to the database", cause);
      if (error.code === "disk_full" && batch.length > 1) {
        // Nothing of the batch was written, and the smaller ones may still fit.
        for (const one of batch) this.#commitTogether([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
      return;
    }
    for (const answer of answers) answer();
  }

  #transact(batch: readonly PendingChange[]): (() => void)[] {
    this.#fault.check();
    this.#begin.run();
    const answers = batch.map(({ apply, reject }) => {
      try {
        return apply();
      } catch (cause) {
        if (isDiskFailure(cause) || !this.#database.inTransaction) throw cause;
        return () => reject(storeError("write to the database", cause));
      }
    });
    this.#commit.run();
    return answers;
  }

  #undo(): void {
    if (this.#database.inTransaction) this.#rollback.run();
  }
}
