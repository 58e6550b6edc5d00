import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Store } from "../../coordinator/store/store.ts";

/** The part of `describeStore` about blobs. */
export function blobTests(opened: () => Store): void {
  test.each([0, 1, 8 << 20])("a blob of %i bytes comes back under its SHA-256", async (length) => {
    const store = opened();
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
    const digest = await store.putBlob(bytes);
    expect(digest).toBe(createHash("sha256").update(bytes).digest("hex"));
    const found = await store.getBlob(digest);
    // toEqual compares eight million entries one by one.
    expect(found && Buffer.compare(found, bytes)).toBe(0);
  });

  test("the same bytes stored many times at once are one blob", async () => {
    const store = opened();
    const bytes = new Uint8Array(10_000).fill(7);
    const digests = await Promise.all(Array.from({ length: 20 }, () => store.putBlob(bytes)));
    expect(new Set(digests).size).toBe(1);
    expect(await store.getBlob(digests[0] ?? "")).toEqual(bytes);
  });

  test("a view stores its own bytes, not its buffer's", async () => {
    const store = opened();
    const digest = await store.putBlob(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    expect(await store.getBlob(digest)).toEqual(Uint8Array.of(2, 3));
  });

  test.each(["0".repeat(64), "", "../../etc/passwd", "zz"])("no blob is named %j", async (digest) => {
    expect(await opened().getBlob(digest)).toBeNull();
  });
}
