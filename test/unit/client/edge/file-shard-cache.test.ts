import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ShardCache } from "../../../../client/data/shard-cache.ts";
import { openFileShardCache } from "../../../../client/edge/file-shard-cache.ts";

const HOUR_MS = 3_600_000;

let folder: string;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-cache-"));
  nowMs = 1_700_000_000_000;
});

afterEach(() => rm(folder, { recursive: true }));

const etag = (letter: string): string => letter.repeat(64);

function open(maxBytes: number, directory = join(folder, "shards")): ShardCache {
  return openFileShardCache({ directory, maxBytes, nowMs: () => nowMs });
}

/** Puts or gets one after the other, a second apart. */
async function later<T>(work: () => Promise<T>): Promise<T> {
  nowMs += 1_000;
  return work();
}

test("what was put is there, also for another cache of the same folder, until it is removed", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  await open(100).put(etag("a"), bytes);
  const other = open(100);
  expect(await other.get(etag("a"))).toEqual(bytes);
  expect(await other.get(etag("b"))).toBeNull();
  await other.remove(etag("a"));
  expect(await open(100).get(etag("a"))).toBeNull();
});

test("beyond its bound the least recently used shards go, and one larger than the bound is not kept", async () => {
  const cache = open(10);
  await later(() => cache.put(etag("a"), new Uint8Array(4)));
  await later(() => cache.put(etag("b"), new Uint8Array(4)));
  await later(() => cache.get(etag("a")));
  await later(() => cache.put(etag("c"), new Uint8Array(4)));
  await later(() => cache.put(etag("d"), new Uint8Array(11)));
  expect((await readdir(join(folder, "shards"))).toSorted()).toEqual([etag("a"), etag("c")]);
});

test("what a killed writer left goes after an hour, what is being written stays", async () => {
  const directory = join(folder, "shards");
  await mkdir(directory);
  for (const [name, ageMs] of [
    ["left", HOUR_MS + 1_000],
    ["fresh", 1_000],
  ] as const) {
    await writeFile(join(directory, name), "");
    await utimes(join(directory, name), (nowMs - ageMs) / 1_000, (nowMs - ageMs) / 1_000);
  }
  await open(10).put(etag("a"), new Uint8Array(1));
  expect((await readdir(directory)).toSorted()).toEqual([etag("a"), "fresh"]);
});

test("a name that is no etag touches no file, and a folder that cannot be made fails nobody", async () => {
  await writeFile(join(folder, "secret"), "x");
  const cache = open(10, folder);
  expect(await cache.get("secret")).toBeNull();
  await cache.remove("secret");
  expect(await readdir(folder)).toEqual(["secret"]);
  const broken = open(10, join(folder, "secret", "shards"));
  await broken.put(etag("a"), new Uint8Array(1));
  expect(await broken.get(etag("a"))).toBeNull();
});
