import { createHash } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openShardCache, type ShardCache } from "../../../../client/data/shard-cache.ts";
import { downloadShard } from "../../../../client/data/shard-download.ts";
import type { Shard } from "../../../../protocol/catalogs.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);
const SHARD: Shard = {
  catalog: "sdss-dr14",
  id: "rows-0-999",
  rows: 800,
  bytes: BYTES.length,
  etag: createHash("sha256").update(BYTES).digest("hex"),
};
const DAMAGED = BYTES.toReversed();

function memoryCache(): ShardCache & { readonly kept: Map<string, Uint8Array<ArrayBuffer>> } {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    kept,
    get: async (etag) => kept.get(etag) ?? null,
    put: async (etag, bytes) => void kept.set(etag, bytes),
    remove: async (etag) => void kept.delete(etag),
    close: async () => undefined,
  };
}

/** A coordinator that gives these answers in turn; an error is a broken connection. */
function source(...answers: (Response | Error)[]) {
  const requests: { url: string; cache: RequestCache | undefined }[] = [];
  const controller = new AbortController();
  const cache = memoryCache();
  const answer: typeof fetch = async (input, init) => {
    requests.push({ url: new Request(input).url, cache: init?.cache });
    const next = answers.shift();
    if (next instanceof Response) return next;
    throw next ?? new TypeError("no more answers");
  };
  return {
    requests,
    controller,
    cache,
    source: { coordinator: "http://127.0.0.1:8081", fetch: answer, cache, signal: controller.signal },
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a shard", () => {
  test("is asked for by catalog and id, counted in bytes, and kept", async () => {
    const coordinator = source(new Response(BYTES));
    const downloaded = await downloadShard(SHARD, coordinator.source);
    expect(downloaded).toEqual({ bytes: BYTES, bytesDown: 100 });
    expect(coordinator.requests.map(({ url }) => url)).toEqual([
      "http://127.0.0.1:8081/catalogs/sdss-dr14/shards/rows-0-999",
    ]);
    expect(coordinator.cache.kept.get(SHARD.etag)).toEqual(BYTES);
  });

  test("costs no bytes and no request when the cache has it", async () => {
    const coordinator = source();
    coordinator.cache.kept.set(SHARD.etag, BYTES);
    expect(await downloadShard(SHARD, coordinator.source)).toEqual({ bytes: BYTES, bytesDown: 0 });
    expect(coordinator.requests).toEqual([]);
  });

  test("is downloaded again when the cache's bytes are damaged", async () => {
    const coordinator = source(new Response(BYTES));
    coordinator.cache.kept.set(SHARD.etag, DAMAGED);
    expect(await downloadShard(SHARD, coordinator.source)).toEqual({ bytes: BYTES, bytesDown: 100 });
    expect(coordinator.cache.kept.get(SHARD.etag)).toEqual(BYTES);
  });

  test("is asked for once more, past the HTTP cache, when the answer is damaged", async () => {
    const coordinator = source(new Response(DAMAGED), new Response(BYTES));
    expect(await downloadShard(SHARD, coordinator.source)).toEqual({ bytes: BYTES, bytesDown: 200 });
    expect(coordinator.requests.map(({ cache }) => cache)).toEqual(["default", "reload"]);
  });

  test.each([
    ["other bytes", DAMAGED, /SHA-256 [0-9a-f]{64}, wanted/],
    ["fewer bytes", BYTES.slice(0, 99), /99 bytes, wanted 100/],
  ])("is shard_corrupt, and not kept, when %s come twice", async (_what, bytes, message) => {
    const coordinator = source(new Response(bytes), new Response(bytes));
    await expect(downloadShard(SHARD, coordinator.source)).rejects.toMatchObject({
      code: "shard_corrupt",
      message: expect.stringMatching(message),
    });
    expect(coordinator.cache.kept.size).toBe(0);
  });

  test("is checked by its length alone where the page is no secure context", async () => {
    vi.stubGlobal("crypto", {});
    const { source: insecure } = source(new Response(DAMAGED));
    expect(await downloadShard(SHARD, insecure)).toMatchObject({ bytes: DAMAGED });
    const short = source(new Response(BYTES.slice(1)), new Response(BYTES.slice(1)));
    await expect(downloadShard(SHARD, short.source)).rejects.toMatchObject({ code: "shard_corrupt" });
  });

  test("is refused with the coordinator's own code", async () => {
    const body = { code: "not_found", message: "no shard rows-0-999" };
    const coordinator = source(Response.json(body, { status: 404 }));
    await expect(downloadShard(SHARD, coordinator.source)).rejects.toMatchObject(body);
  });

  test.each([
    ["a proxy's page", new Response("<h1>Bad gateway</h1>", { status: 502 }), /answered 502/],
    ["another service's JSON", Response.json({ error: "?" }, { status: 500 }), /answered 500/],
    ["a broken connection", new TypeError("fetch failed"), /no answer to GET \/catalogs\/sdss-dr14/],
  ])("has an unreachable coordinator after %s", async (_what, answer, message) => {
    await expect(downloadShard(SHARD, source(answer).source)).rejects.toMatchObject({
      code: "coordinator_unreachable",
      message: expect.stringMatching(message),
    });
  });

  test("is dropped with the signal's reason when the node stops", async () => {
    const reason = new DOMException("stopped by the volunteer", "AbortError");
    const { source: stopping, controller } = source();
    const stopped: typeof fetch = async () => {
      controller.abort(reason);
      throw new TypeError("fetch failed");
    };
    await expect(downloadShard(SHARD, { ...stopping, fetch: stopped })).rejects.toBe(reason);
    await expect(downloadShard(SHARD, stopping)).rejects.toBe(reason);
  });
});

test("a cache without IndexedDB keeps nothing and fails nobody", async () => {
  expect(globalThis.indexedDB).toBeUndefined();
  const cache = openShardCache({ name: "none", maxBytes: 1000, nowMs: () => 0 });
  await cache.put(SHARD.etag, BYTES);
  expect(await cache.get(SHARD.etag)).toBeNull();
  await cache.remove(SHARD.etag);
  await cache.close();
});
