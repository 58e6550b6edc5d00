import { webcrypto } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { DiskFault } from "./disk-fault.ts";
import { errorCodeOf, storeError } from "./store-error.ts";

const DIGEST = /^[0-9a-f]{64}$/;

/** Makes the entries of a directory durable: a rename alone may be lost in a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directory as a file; NTFS journals the entry with the file's own flush.
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 as lower-case hexadecimal, computed off the event loop. */
async function sha256(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest("SHA-256", bytes)).toString("hex");
}

async function readIfPresent(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const buffer = await readFile(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (cause) {
    if (errorCodeOf(cause) === "ENOENT") return null;
    throw cause;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx");
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Immutable bytes as files named by their SHA-256: `ab/abcdef…`. A file appears under its name only whole
 * and flushed; what is still being written lies in `incoming/`.
 */
export class BlobFiles {
  readonly #directory: string;
  readonly #fault: DiskFault;
  #written = 0;

  constructor(directory: string, fault: DiskFault) {
    this.#directory = directory;
    this.#fault = fault;
  }

  /**
   * Makes the directories and removes what an earlier process left half written. No other process may be
   * using them.
   */
  async prepare(): Promise<void> {
    await rm(join(this.#directory, "incoming"), { recursive: true, force: true });
    await mkdir(join(this.#directory, "incoming"), { recursive: true });
    const prefixes = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
    await Promise.all(prefixes.map((prefix) => mkdir(join(this.#directory, prefix), { recursive: true })));
    await syncDirectory(this.#directory);
  }

  /**
   * @param bytes unchanged until the promise settles
   * @returns their digest, once they are durable
   * @throws {AstroScaleError} `disk_full` or `store_unavailable`
   */
  async put(bytes: Uint8Array): Promise<string> {
    this.#fault.check();
    const digest = await sha256(bytes);
    try {
      const path = this.#path(digest);
      const found = await readIfPresent(path);
      if (found === null || Buffer.compare(found, bytes) !== 0) await this.#place(path, bytes);
      await this.#syncEntries(dirname(path));
    } catch (cause) {
      throw this.#fault.writeError(`write blob ${digest}`, cause);
    }
    return digest;
  }

  /** @returns the bytes, or `null` when there is no such blob. @throws {AstroScaleError} `store_unavailable` */
  async get(digest: string): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!DIGEST.test(digest)) return null;
    try {
      const bytes = await readIfPresent(this.#path(digest));
      if (bytes === null) return null;
      const found = await sha256(bytes);
      if (found === digest) return bytes;
      throw new AstroScaleError("store_unavailable", `blob ${digest} is damaged: its bytes have ${found}`);
    } catch (cause) {
      throw storeError(`read blob ${digest}`, cause);
    }
  }

  /** Writes a byte, flushes and removes it. @throws {AstroScaleError} `disk_full` or `store_unavailable` */
  async check(): Promise<void> {
    this.#fault.check();
    const path = this.#incoming();
    try {
      await writeDurably(path, new Uint8Array(1));
      await rm(path);
    } catch (cause) {
      throw this.#fault.writeError(`write to ${this.#directory}`, cause);
    }
  }

  #path(digest: string): string {
    return join(this.#directory, digest.slice(0, 2), digest);
  }

  #incoming(): string {
    this.#written += 1;
    return join(this.#directory, "incoming", String(this.#written));
  }

  async #place(path: string, bytes: Uint8Array): Promise<void> {
    const incoming = this.#incoming();
    try {
      await writeDurably(incoming, bytes);
      await rename(incoming, path);
    } catch (cause) {
      // The first failure is the one to tell; `prepare` removes what cannot be removed now.
      await rm(incoming, { force: true }).catch(() => undefined);
      throw cause;
    }
  }

  /** Also for a file found in place: an earlier process may have died between rename and flush. */
  async #syncEntries(directory: string): Promise<void> {
    try {
      await syncDirectory(directory);
    } catch (cause) {
      throw this.#fault.remember(storeError(`flush ${directory}`, cause));
    }
  }
}
