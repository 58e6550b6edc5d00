import Database from "better-sqlite3";
import { AstroScaleError } from "../../protocol/errors.ts";
import { errorCodeOf, storeError } from "./store-error.ts";

/** Grows when a table changes; kept in the file as `user_version`. */
const SCHEMA = 1;

/** A coordinator that is just stopping gets this long to let go of the lock. */
const LOCK_WAIT_MS = 1000;

const TABLES = `
  CREATE TABLE records (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE logs (
    log TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (log, sequence),
    UNIQUE (log, key)
  ) STRICT;
  CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 0), writes INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (0, 0);
`;

/**
 * The SQLite database at `path`, created when missing, and locked for this process until it is closed. The
 * lock is the system's own file lock, so it ends with the process however that ends.
 *
 * @throws {AstroScaleError} `store_unavailable` when another process has it open, when a newer AstroScale
 * wrote it, or when it cannot be read; `disk_full`
 */
export function openDatabase(path: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { timeout: LOCK_WAIT_MS });
    database.pragma("locking_mode = EXCLUSIVE");
    refuseNewerSchema(database, path);
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    // On macOS a plain fsync leaves the bytes in the drive's cache.
    database.pragma("fullfsync = ON");
    database.pragma("checkpoint_fullfsync = ON");
    createTables(database);
    return database;
  } catch (cause) {
    database?.close();
    throw openError(path, cause);
  }
}

function schemaOf(database: Database.Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

function refuseNewerSchema(database: Database.Database, path: string): void {
  const found = schemaOf(database);
  if (found <= SCHEMA) return;
  throw new AstroScaleError(
    "store_unavailable",
    `${path} has schema ${found}, this AstroScale knows ${SCHEMA}: start the newer AstroScale that wrote it`,
  );
}

/** Always writes, because the exclusive lock is taken with the first write. */
function createTables(database: Database.Database): void {
  const create = database.transaction(() => {
    if (schemaOf(database) === 0) database.exec(TABLES);
    database.pragma(`user_version = ${SCHEMA}`);
  });
  create.immediate();
}

function openError(path: string, cause: unknown): AstroScaleError {
  if (errorCodeOf(cause).startsWith("SQLITE_BUSY")) {
    return new AstroScaleError(
      "store_unavailable",
      `${path} is in use by another coordinator: stop that one, or choose another data directory`,
      { cause },
    );
  }
  return storeError(`open ${path}`, cause);
}
