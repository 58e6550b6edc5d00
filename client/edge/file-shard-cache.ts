import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ShardCache } from "../data/shard-cache.ts";

/** How a cache is opened. */
export interface FileShardCacheOptions {
  /** Made when it is first needed; several processes may use it at the same time. */
  readonly directory: string;
  /** Bound on the kept bytes together. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

const ETAG = /^[0-9a-f]{64}$/;
/** A file that is still being written is younger. */
const ABANDONED_MS = 3_600_000;

/**
 * A cache in a directory: a file named by its etag for each shard, last used when it was last modified. A file is
 * there whole or not at all, whenever its writer ends.
 */
export function openFileShardCache({ directory, maxBytes, nowMs }: FileShardCacheOptions): ShardCache {
  let written = 0;
  const pathOf = (etag: string): string => {
    if (!ETAG.test(etag)) throw new Error(`${etag} is no etag`);
    return join(directory, etag);
  };
  return {
    get: (etag) =>
      attempt(async () => {
        const path = pathOf(etag);
        const bytes = new Uint8Array(await readFile(path));
        await attempt(() => touch(path, nowMs()), undefined);
        return bytes;
      }, null),
    put: (etag, bytes) =>
      attempt(async () => {
        if (bytes.length > maxBytes) return;
        const path = pathOf(etag);
        await mkdir(directory, { recursive: true });
        written += 1;
        const unfinished = `${path}.${process.pid}.${written}`;
        try {
          await writeFile(unfinished, bytes);
          await touch(unfinished, nowMs());
          await rename(unfinished, path);
        } catch (error) {
          await rm(unfinished, { force: true });
          throw error;
        }
        await evict({ directory, maxBytes, nowMs });
      }, undefined),
    remove: (etag) => attempt(() => rm(pathOf(etag), { force: true }), undefined),
    close: () => Promise.resolve(),
  };
}

/** What is not in the cache is downloaded: nothing depends on why `work` failed. */
async function attempt<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
  try {
    return await work();
  } catch {
    return otherwise;
  }
}

function touch(path: string, nowMs: number): Promise<void> {
  return utimes(path, nowMs / 1_000, nowMs / 1_000);
}

/** Drops the least recently used files beyond `maxBytes`, and what a killed writer left. */
async function evict({ directory, maxBytes, nowMs }: FileShardCacheOptions): Promise<void> {
  const names = await readdir(directory);
  // One that is gone by now was evicted by another process.
  const files = await Promise.all(
    names.map((name) => attempt(async () => ({ name, ...(await sizeAndUse(join(directory, name))) }), null)),
  );
  let kept = 0;
  for (const file of files.toSorted((a, b) => (b?.usedAtMs ?? 0) - (a?.usedAtMs ?? 0))) {
    if (file === null) continue;
    const isShard = ETAG.test(file.name);
    if (isShard) kept += file.size;
    const dropped = isShard ? kept > maxBytes : nowMs() - file.usedAtMs > ABANDONED_MS;
    if (dropped) await rm(join(directory, file.name), { force: true });
  }
}

async function sizeAndUse(path: string): Promise<{ size: number; usedAtMs: number }> {
  const { size, mtimeMs } = await stat(path);
  return { size, usedAtMs: mtimeMs };
}
