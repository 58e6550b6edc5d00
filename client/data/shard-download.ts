import { ARROW_STREAM, type Shard } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { ErrorBody } from "../../protocol/replies.ts";
import type { ShardCache } from "./shard-cache.ts";

/** Where shards come from. */
export interface ShardSource {
  /** Origin of the coordinator, such as `http://127.0.0.1:8081`. */
  readonly coordinator: string;
  readonly fetch: typeof fetch;
  readonly cache: ShardCache;
  /** Ends a download; the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** A shard's bytes and what they cost. */
export interface DownloadedShard {
  /** The Arrow IPC stream. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes that came over the network; 0 when the cache had them. */
  readonly bytesDown: number;
}

/**
 * A shard's bytes, from the cache or the coordinator. Their length is checked always, their SHA-256 wherever
 * `crypto.subtle` exists (it does not on plain HTTP from another host). Damaged bytes are asked for a second
 * time past the browser's HTTP cache, which keeps shards for ever.
 *
 * @throws {AstroScaleError} `shard_corrupt` when the bytes are damaged twice; `coordinator_unreachable` when
 * nothing or nothing intelligible answers; the coordinator's own code when it refuses
 */
export async function downloadShard(shard: Shard, source: ShardSource): Promise<DownloadedShard> {
  const { cache, signal } = source;
  signal.throwIfAborted();
  const cached = await cache.get(shard.etag);
  if (cached) {
    if ((await damage(cached, shard)) === null) return { bytes: cached, bytesDown: 0 };
    await cache.remove(shard.etag);
  }

  let bytesDown = 0;
  let damaged: string | null = null;
  for (const mode of ["default", "reload"] as const) {
    const bytes = await fetchShard(shard, source, mode);
    bytesDown += bytes.length;
    damaged = await damage(bytes, shard);
    if (damaged === null) {
      await cache.put(shard.etag, bytes);
      return { bytes, bytesDown };
    }
  }
  throw new AstroScaleError("shard_corrupt", `shard ${shard.id} of ${shard.catalog}: ${damaged}`);
}

async function fetchShard(
  shard: Shard,
  { coordinator, fetch: request, signal }: ShardSource,
  mode: RequestCache,
): Promise<Uint8Array<ArrayBuffer>> {
  const path = `/catalogs/${shard.catalog}/shards/${shard.id}`;
  try {
    const response = await request(new URL(path, coordinator), {
      signal,
      cache: mode,
      headers: { accept: ARROW_STREAM },
    });
    if (!response.ok) throw await refusal(response, path);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof AstroScaleError) throw cause;
    throw new AstroScaleError("coordinator_unreachable", `no answer to GET ${path}`, { cause });
  }
}

async function refusal(response: Response, path: string): Promise<AstroScaleError> {
  const text = await response.text();
  try {
    const { code, message, details = {} } = ErrorBody.parse(JSON.parse(text));
    return new AstroScaleError(code, message, { details });
  } catch (cause) {
    // A proxy between us and the coordinator answers in its own words.
    const message = `GET ${path} answered ${response.status}`;
    return new AstroScaleError("coordinator_unreachable", message, { cause });
  }
}

/** How `bytes` differ from what was listed, or `null`. */
async function damage(bytes: Uint8Array<ArrayBuffer>, shard: Shard): Promise<string | null> {
  if (bytes.length !== shard.bytes) return `${bytes.length} bytes, wanted ${shard.bytes}`;
  const digest = await sha256(bytes);
  return digest === null || digest === shard.etag ? null : `SHA-256 ${digest}, wanted ${shard.etag}`;
}

/** Lower-case hexadecimal, or `null` where the page is no secure context. */
async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
