import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openEmbeddedStore } from "../../../../coordinator/store/embedded.ts";
import { describeStore } from "../../../conformance/store.ts";

describeStore("embedded", async () => {
  const directory = await mkdtemp(join(tmpdir(), "astroscale-store-"));
  let store = await openEmbeddedStore(directory);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openEmbeddedStore(directory);
      return store;
    },
    async dispose() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe("the embedded store's directory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "astroscale-store-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const blobPath = (digest: string): string => join(directory, "blobs", digest.slice(0, 2), digest);

  test("is created with its parents", async () => {
    const store = await openEmbeddedStore(join(directory, "a", "b"));
    await store.swap("k", null, 1);
    await store.close();
    expect(await readdir(join(directory, "a", "b"))).toEqual(["astroscale.sqlite", "blobs"]);
  });

  test("is refused to a second coordinator while the first has it, and free after", async () => {
    const first = await openEmbeddedStore(directory);
    await expect(openEmbeddedStore(directory)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("in use by another coordinator"),
    });
    await first.swap("still", null, "writable");
    await first.close();
    await (await openEmbeddedStore(directory)).close();
  });

  test("is refused when a newer AstroScale wrote it", async () => {
    await (await openEmbeddedStore(directory)).close();
    const database = new Database(join(directory, "astroscale.sqlite"));
    database.pragma("user_version = 7");
    database.close();
    await expect(openEmbeddedStore(directory)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("has schema 7, this AstroScale knows 1"),
    });
  });

  test("is refused when its database is another file or it is no directory", async () => {
    await writeFile(join(directory, "astroscale.sqlite"), "not a database ".repeat(100));
    await writeFile(join(directory, "file"), "");
    for (const path of [directory, join(directory, "file"), join(directory, "file", "below")]) {
      await expect(openEmbeddedStore(path)).rejects.toMatchObject({ code: "store_unavailable" });
    }
  });

  test("keeps nothing of a blob that was half written", async () => {
    await (await openEmbeddedStore(directory)).close();
    await writeFile(join(directory, "blobs", "incoming", "1"), "half");
    const store = await openEmbeddedStore(directory);
    await store.putBlob(Uint8Array.of(1));
    expect(await readdir(join(directory, "blobs", "incoming"))).toEqual([]);
    await store.close();
  });

  test("has all changes and blobs that were begun before it was closed", async () => {
    let store = await openEmbeddedStore(directory);
    const changes = [store.swap("k", null, 1), store.append("log", "k", 1)];
    await store.close();
    await expect(Promise.all(changes)).resolves.toHaveLength(2);

    store = await openEmbeddedStore(directory);
    const blob = store.putBlob(new Uint8Array(1_000_000)).then((digest) => ["blob", digest.length]);
    const closed = store.close().then(() => ["closed"]);
    expect(await Promise.race([closed, blob])).toEqual(["blob", 64]);
    await closed;
  });

  test("a damaged blob is store_unavailable until the same bytes are put again", async () => {
    const store = await openEmbeddedStore(directory);
    const bytes = Uint8Array.of(1, 2, 3);
    const digest = await store.putBlob(bytes);
    await writeFile(blobPath(digest), Uint8Array.of(1, 2, 4));
    await expect(store.getBlob(digest)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("is damaged"),
    });
    await store.putBlob(bytes);
    expect(await store.getBlob(digest)).toEqual(bytes);
    await store.close();
  });

  test("lost blob directories make check and putBlob store_unavailable", async () => {
    const store = await openEmbeddedStore(directory);
    await rm(join(directory, "blobs"), { recursive: true });
    await expect(store.check()).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.putBlob(Uint8Array.of(1))).rejects.toMatchObject({ code: "store_unavailable" });
    await store.close();
  });
});
