import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../../coordinator/store/database.ts";
import { DiskFault } from "../../../../coordinator/store/disk-fault.ts";
import { GroupCommit } from "../../../../coordinator/store/group-commit.ts";
import { RecordTable } from "../../../../coordinator/store/record-table.ts";
import { storeError } from "../../../../coordinator/store/store-error.ts";

describe("group commit", () => {
  let directory: string;
  let database: Database.Database;
  let records: RecordTable;
  let commits: GroupCommit;
  let put: (key: string, text: string) => Promise<number | null>;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "astroscale-commit-"));
    database = openDatabase(join(directory, "test.sqlite"));
    records = new RecordTable(database);
    commits = new GroupCommit(database, new DiskFault());
    put = (key, text) => commits.submit(() => records.swap(key, null, text));
  });
  afterEach(async () => {
    database.close();
    await rm(directory, { recursive: true });
  });

  const keys = (): string[] => records.list("").map(({ key }) => key);
  /** Pages in the write-ahead log; each transaction adds those it changed. */
  const loggedPages = (): number => {
    const [state] = database.pragma("wal_checkpoint(PASSIVE)") as { log: number }[];
    return state?.log ?? Number.NaN;
  };

  test("every commit is flushed: the database has a write-ahead log and full synchronisation", () => {
    expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(database.pragma("synchronous", { simple: true })).toBe(2);
  });

  test("a hundred changes of one turn are one transaction", async () => {
    const before = loggedPages();
    const putAfterMicrotasks = async (_: unknown, i: number): Promise<void> => {
      for (let waited = 0; waited < i; waited++) await Promise.resolve();
      await put(`k${i}`, "1");
    };
    await Promise.all(Array.from({ length: 100 }, putAfterMicrotasks));
    expect(keys()).toHaveLength(100);
    // A hundred rows fit the table's page and the index's; one transaction each would log two hundred pages.
    expect(loggedPages() - before).toBeLessThan(10);
  });

  test("an answer comes after the commit, not before", async () => {
    const inside: boolean[] = [];
    const change = commits.submit(() => inside.push(database.inTransaction));
    expect(inside).toEqual([]);
    await change.then(() => inside.push(database.inTransaction));
    expect(inside).toEqual([true, false]);
  });

  test("a change that fails leaves the others of its turn", async () => {
    const fail = (): unknown => database.prepare("INSERT INTO records VALUES ('k', 1, NULL)").run();
    const answers = await Promise.allSettled([put("a", "1"), commits.submit(fail), put("b", "2")]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({ reason: { code: "store_unavailable" } });
    expect(keys()).toEqual(["a", "b"]);
  });

  test("a full disk refuses what does not fit as disk_full and keeps the rest, now and later", async () => {
    const pages = Number(database.pragma("page_count", { simple: true }));
    database.pragma(`max_page_count = ${pages + 3}`);
    const large = JSON.stringify("x".repeat(100_000));
    const answers = await Promise.allSettled([put("a", "1"), put("large", large), put("b", "2")]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({ reason: { code: "disk_full" } });
    expect(keys()).toEqual(["a", "b"]);
    expect(await put("c", "3")).toBe(1);
  });

  test("a transaction that finds no space keeps what fits, change by change", async () => {
    const noSpaceOnce = (): never => {
      database.exec("ROLLBACK");
      throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    };
    const answers = await Promise.allSettled([put("a", "1"), commits.submit(noSpaceOnce), put("b", "2")]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({ reason: { code: "disk_full" } });
    expect(keys()).toEqual(["a", "b"]);
  });

  test("after a failed flush nothing of the turn is acknowledged and every later write is refused", async () => {
    const failFlush = (): never => {
      throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    };
    const writes = [put("a", "1"), commits.submit(failFlush), put("b", "2")];
    for (const answer of await Promise.allSettled(writes)) {
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } });
    }
    await expect(put("later", "3")).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("until the coordinator restarts"),
    });
    expect(keys()).toEqual([]);
  });
});

test.each([
  ["ENOSPC", "disk_full"],
  ["EDQUOT", "disk_full"],
  ["SQLITE_FULL", "disk_full"],
  ["EIO", "store_unavailable"],
  ["EROFS", "store_unavailable"],
  ["SQLITE_BUSY", "store_unavailable"],
  ["SQLITE_READONLY", "store_unavailable"],
  ["SQLITE_IOERR_WRITE", "store_unavailable"],
])("%s is answered as %s with its cause", (code, wanted) => {
  const cause = Object.assign(new Error("boom"), { code });
  expect(storeError("write", cause)).toMatchObject({ code: wanted, cause, message: "could not write: boom" });
});

test.each(["EIO", "SQLITE_IOERR_FSYNC", "SQLITE_CORRUPT"])("%s on a write stops all later writes", (code) => {
  const fault = new DiskFault();
  fault.writeError("write", Object.assign(new Error("boom"), { code }));
  expect(() => fault.check()).toThrow(
    "until the coordinator restarts, because the disk failed: could not write",
  );
});

test.each(["ENOSPC", "SQLITE_FULL", "SQLITE_BUSY"])("%s on a write lets later writes try", (code) => {
  const fault = new DiskFault();
  fault.writeError("write", Object.assign(new Error("boom"), { code }));
  expect(() => fault.check()).not.toThrow();
});
