import type { CDPSession } from "@vitest/browser-playwright";
import { deleteDB, openDB } from "idb";
import { afterEach, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { openShardCache, type ShardCache } from "../../client/data/shard-cache.ts";

const NAME = "astroscale-test-shards";
const KIB = 1024;

let caches: ShardCache[] = [];
let nowMs = 0;

function open(maxBytes: number): ShardCache {
  const cache = openShardCache({ name: NAME, maxBytes, nowMs: () => nowMs++ });
  caches.push(cache);
  return cache;
}

/** `size` bytes that no storage can compress away. */
function noise(size: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

async function putAll(cache: ShardCache, etags: readonly string[], size: number): Promise<void> {
  for (const [i, etag] of etags.entries()) await cache.put(etag, noise(size, i));
}

async function kept(cache: ShardCache, etags: readonly string[]): Promise<string[]> {
  const found = await Promise.all(etags.map((etag) => cache.get(etag)));
  return etags.filter((_, i) => found[i] !== null);
}

function devTools(): CDPSession {
  return cdp();
}

/** What "clear site data" does. */
async function clearSiteData(): Promise<void> {
  await devTools().send("Storage.clearDataForOrigin", {
    origin: location.origin,
    storageTypes: "indexeddb",
  });
}

/** Runs `work` while this origin may store `bytes`. The browser must not have looked at the quota just before. */
async function withQuota(bytes: number, work: () => Promise<void>): Promise<void> {
  await clearSiteData();
  await devTools().send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize: bytes });
  try {
    await work();
  } finally {
    await devTools().send("Storage.overrideQuotaForOrigin", { origin: location.origin });
  }
}

afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
  await deleteDB(NAME);
});

test("bytes are found again by another visit", async () => {
  const bytes = noise(KIB, 1);
  const first = open(10 * KIB);
  await first.put("a", bytes);
  await first.close();
  expect(await open(10 * KIB).get("a")).toEqual(bytes);
});

test("what was never put, or was removed, is null", async () => {
  const cache = open(10 * KIB);
  await cache.put("a", noise(KIB, 1));
  await cache.remove("a");
  expect(await cache.get("a")).toBeNull();
  expect(await cache.get("b")).toBeNull();
});

test("the least recently used are dropped when there would be more than maxBytes", async () => {
  const cache = open(3 * KIB);
  await putAll(cache, ["a", "b", "c"], KIB);
  await cache.get("a");
  await cache.put("d", noise(KIB, 3));
  expect(await kept(cache, ["a", "b", "c", "d"])).toEqual(["a", "c", "d"]);
});

test("putting the same etag again needs no more room", async () => {
  const cache = open(2 * KIB);
  await putAll(cache, ["a", "b", "b"], KIB);
  expect(await kept(cache, ["a", "b"])).toEqual(["a", "b"]);
});

test("bytes beyond maxBytes alone are not kept, and drop nothing", async () => {
  const cache = open(2 * KIB);
  await cache.put("a", noise(KIB, 0));
  await cache.put("b", noise(3 * KIB, 1));
  expect(await kept(cache, ["a", "b"])).toEqual(["a"]);
});

test("when the browser's quota is reached, the older half makes room for the newest", async () => {
  const size = 512 * KIB;
  const etags = Array.from({ length: 14 }, (_, i) => `shard-${i}`);
  await withQuota(6 * size, async () => {
    const cache = open(100 * size);
    for (const [i, etag] of etags.entries()) {
      await cache.put(etag, noise(size, i));
      expect(await cache.get(etag)).not.toBeNull();
    }
    const left = await kept(cache, etags);
    expect(left).toEqual(etags.slice(-left.length));
    expect(left.length).toBeLessThan(6);
  });
});

test("when the browser gives no space at all, nothing is kept and nothing fails", async () => {
  await withQuota(16 * KIB, async () => {
    const cache = open(1024 * KIB);
    await cache.put("a", noise(512 * KIB, 1));
    expect(await cache.get("a")).toBeNull();
  });
});

test("a database that the browser deletes under the cache is opened again", async () => {
  const cache = open(10 * KIB);
  await cache.put("a", noise(KIB, 1));
  await clearSiteData();
  expect(await cache.get("a")).toBeNull();
  await cache.put("b", noise(KIB, 2));
  expect(await kept(cache, ["a", "b"])).toEqual(["b"]);
});

test("a database that another tab deletes is let go", async () => {
  const cache = open(10 * KIB);
  await cache.put("a", noise(KIB, 1));
  await deleteDB(NAME);
  expect(await cache.get("a")).toBeNull();
});

test("a database of another making costs the cache, not the node", async () => {
  const other = await openDB(NAME, 7);
  other.close();
  const cache = open(10 * KIB);
  await cache.put("a", noise(KIB, 1));
  expect(await cache.get("a")).toBeNull();
});
