import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../coordinator/store/store.ts";
import { blobTests } from "./store-blobs.ts";

/** A fresh, empty store under test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes what was open last and opens the same data again. */
  reopen(): Promise<Store>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

/** What every engine behind `Store` must do. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    describe("records", () => {
      recordTests(() => store);
    });
    describe("logs", () => {
      logTests(() => store);
    });
    describe("blobs", () => {
      blobTests(() => store);
    });
    describe("hints", () => {
      hintTests(() => store);
    });

    test("a fresh store can write", async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });

    test("everything acknowledged is there after reopening", async () => {
      const bytes = Uint8Array.of(1, 2, 3);
      await store.swap("kept", null, { n: 1 });
      await store.swap("kept", 1, { n: 2 });
      await store.swap("gone", null, "x");
      await store.remove("gone", 1);
      await store.append("log", "a", 1);
      await store.append("log", "b", 2);
      const digest = await store.putBlob(bytes);

      const again = await under.reopen();

      expect(await again.list("")).toEqual([{ key: "kept", value: { n: 2 }, version: 2 }]);
      expect((await again.readLog("log")).map(({ key }) => key)).toEqual(["a", "b"]);
      expect(await again.getBlob(digest)).toEqual(bytes);
      expect(await again.append("log", "a", 9)).toMatchObject({ appended: false, entry: { value: 1 } });
      expect((await again.append("log", "c", 3)).entry.sequence).toBe(3);
    });

    test("what was answered while it closed is there after reopening", async () => {
      const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
      const writes = keys.map((key) => store.swap(key, null, key));
      const blob = store.putBlob(new Uint8Array(100_000));
      const closed = store.close();
      const answers = await Promise.allSettled(writes);
      const digest = await blob.catch(() => null);
      await closed;

      const again = await under.reopen();
      const acknowledged = keys.filter((_, i) => answers[i]?.status === "fulfilled");
      const kept = (await again.list("k")).map(({ key }) => key);
      expect(kept).toEqual(expect.arrayContaining(acknowledged));
      expect(digest && (await again.getBlob(digest))?.length).toBe(digest && 100_000);
    });

    test("every call after close is refused as store_unavailable, and closing twice is allowed", async () => {
      await store.close();
      await store.close();
      const calls = [
        store.get("k"),
        store.list(""),
        store.swap("k", null, 1),
        store.remove("k", 1),
        store.putBlob(new Uint8Array(1)),
        store.getBlob("0".repeat(64)),
        store.append("log", "k", 1),
        store.readLog("log"),
        store.check(),
      ];
      for (const answer of await Promise.allSettled(calls)) {
        expect(answer).toMatchObject({ status: "rejected", reason: { code: "store_unavailable" } });
      }
    });
  });
}

function recordTests(opened: () => Store): void {
  test("a key without a record is null", async () => {
    expect(await opened().get("nothing")).toBeNull();
  });

  test("versions start at 1 and grow by one a swap", async () => {
    const store = opened();
    expect(await store.swap("k", null, "a")).toEqual({ key: "k", value: "a", version: 1 });
    expect(await store.swap("k", 1, "b")).toEqual({ key: "k", value: "b", version: 2 });
    expect(await store.get("k")).toEqual({ key: "k", value: "b", version: 2 });
  });

  test("a swap from another version than the record's changes nothing", async () => {
    const store = opened();
    await store.swap("k", null, "a");
    await store.swap("k", 1, "b");
    for (const expected of [null, 0, 1, 3]) expect(await store.swap("k", expected, "wrong")).toBeNull();
    expect(await store.swap("absent", 1, "wrong")).toBeNull();
    expect(await store.list("")).toEqual([{ key: "k", value: "b", version: 2 }]);
  });

  test.each([
    ["creations", null],
    ["swaps from one version", 1],
  ])("of 50 concurrent %s exactly one wins", async (_what, expected) => {
    const store = opened();
    if (expected !== null) await store.swap("k", null, "first");
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => store.swap("k", expected, i)));
    const winners = answers.filter((answer) => answer !== null);
    expect(winners).toHaveLength(1);
    expect(winners[0]).toEqual(await store.get("k"));
  });

  test("fifty writers that retry count to fifty", async () => {
    const store = opened();
    await store.swap("count", null, 0);
    const increment = async (): Promise<void> => {
      const found = await store.get("count");
      if (!found || (await store.swap("count", found.version, Number(found.value) + 1)) === null) {
        await increment();
      }
    };
    await Promise.all(Array.from({ length: 50 }, increment));
    expect(await store.get("count")).toEqual({ key: "count", value: 50, version: 51 });
  });

  test("remove wants the record's version, and a record made again starts at 1", async () => {
    const store = opened();
    await store.swap("k", null, "a");
    await store.swap("k", 1, "b");
    expect(await store.remove("k", 1)).toBe(false);
    expect(await store.remove("absent", 1)).toBe(false);
    expect(await store.remove("k", 2)).toBe(true);
    expect(await store.get("k")).toBeNull();
    expect(await store.swap("k", null, "c")).toMatchObject({ version: 1 });
  });

  test("list gives exactly the records under a prefix, ordered by code points", async () => {
    const store = opened();
    // U+FF5E sorts after U+1F30C by UTF-16 units and before it by code points.
    const keys = ["a%b/1", "a%b/2", "aXb/1", "a_b/1", "a_b/10", "a_b/2", "b", "\uff5e", "🌌", "A"];
    for (const key of keys) await store.swap(key, null, null);
    const list = async (prefix: string) => (await store.list(prefix)).map(({ key }) => key);
    expect(await list("a%")).toEqual(["a%b/1", "a%b/2"]);
    expect(await list("a_b/1")).toEqual(["a_b/1", "a_b/10"]);
    expect(await list("%")).toEqual([]);
    expect(await list("🌌")).toEqual(["🌌"]);
    expect(await list("")).toEqual([
      "A",
      "a%b/1",
      "a%b/2",
      "aXb/1",
      "a_b/1",
      "a_b/10",
      "a_b/2",
      "b",
      "\uff5e",
      "🌌",
    ]);
  });

  test("a value comes back as JSON carries it, and later changes to the object do not reach it", async () => {
    const store = opened();
    const value = { text: "Größe 星 🌌 ' \" \\", list: [0.1, -1e300, true, null], absent: undefined };
    const swapped = store.swap("schlüssel/星/🌌/'", null, value);
    value.list.push(null);
    const wanted = { text: value.text, list: [0.1, -1e300, true, null] };
    expect((await swapped)?.value).toEqual(wanted);
    expect((await store.get("schlüssel/星/🌌/'"))?.value).toEqual(wanted);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("%s in a value is refused as non_finite", async (n) => {
    const store = opened();
    await expect(store.swap("k", null, { deep: [1, n] })).rejects.toMatchObject({ code: "non_finite" });
    await expect(store.append("log", "k", n)).rejects.toMatchObject({ code: "non_finite" });
    expect(await store.get("k")).toBeNull();
    expect(await store.readLog("log")).toEqual([]);
  });
}

function logTests(opened: () => Store): void {
  test("a key is appended once, and its first value stays", async () => {
    const store = opened();
    const entry = { sequence: 1, key: "k", value: "first" };
    expect(await store.append("log", "k", "first")).toEqual({ entry, appended: true });
    expect(await store.append("log", "k", "second")).toEqual({ entry, appended: false });
    expect(await store.readLog("log")).toEqual([entry]);
  });

  test("of 50 concurrent appends of one key one is appended and all find its value", async () => {
    const store = opened();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => store.append("log", "k", i)));
    expect(answers.filter(({ appended }) => appended)).toHaveLength(1);
    expect(new Set(answers.map(({ entry }) => entry.value)).size).toBe(1);
  });

  test("each log counts from 1 without gaps, under concurrency and repeated keys", async () => {
    const store = opened();
    const appends = Array.from({ length: 60 }, (_, i) => store.append(`log${i % 3}`, `k${i % 40}`, i));
    await Promise.all(appends);
    for (const log of ["log0", "log1", "log2"]) {
      const entries = await store.readLog(log);
      expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, i) => i + 1));
      expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
    }
    // 60 appends over lcm(3, 40) = 120 pairs of log and key: none repeats.
    expect(
      (await Promise.all(["log0", "log1", "log2"].map((log) => store.readLog(log)))).flat(),
    ).toHaveLength(60);
  });

  test("readLog gives what comes after a sequence, in order", async () => {
    const store = opened();
    for (const key of ["a", "b", "c"]) await store.append("log", key, key);
    const keys = async (after?: number) => (await store.readLog("log", after)).map(({ key }) => key);
    expect(await keys()).toEqual(["a", "b", "c"]);
    expect(await keys(1)).toEqual(["b", "c"]);
    expect(await keys(3)).toEqual([]);
    expect(await store.readLog("no such log")).toEqual([]);
  });
}

function hintTests(opened: () => Store): void {
  test("a listener hears of changed keys and logs until it stops watching", async () => {
    const store = opened();
    const heard = new Set<string>();
    const { promise: all, stop } = untilHeard(store, ["k", "log", "gone"], heard);
    await store.swap("gone", null, 1);
    await store.remove("gone", 1);
    await store.swap("k", null, 1);
    await store.append("log", "entry", 1);
    await all;

    stop();
    const { promise: last } = untilHeard(store, ["later"], new Set());
    await store.swap("later", null, 1);
    await last;
    expect(heard).not.toContain("later");
  });
}

/** Resolves when `store` has told every wanted name; all told names go to `heard`. */
function untilHeard(
  store: Store,
  wanted: readonly string[],
  heard: Set<string>,
): { readonly promise: Promise<void>; readonly stop: () => void } {
  let done: () => void;
  const promise = new Promise<void>((resolve) => {
    done = resolve;
  });
  const stop = store.watch((name) => {
    heard.add(name);
    if (wanted.every((one) => heard.has(one))) done();
  });
  return { promise, stop };
}
