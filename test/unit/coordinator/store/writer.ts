import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { openEmbeddedStore } from "../../../../coordinator/store/embedded.ts";

// Runs in a process of its own until it is killed: writes to the store in `argv[2]`, numbering from `argv[3]`.
// Each line on stdout tells one acknowledged write: `append KEY SEQUENCE`, `swap VERSION` or `blob DIGEST`.

function tell(line: string): void {
  // The pipe has the line before the next write begins, so the parent knows every acknowledgement.
  writeSync(1, `${line}\n`);
}

/** Bytes that differ for every `n`, of a size that takes several system calls to write. */
function blobOf(n: number): Uint8Array {
  const seed = createHash("sha256").update(String(n)).digest();
  return Uint8Array.from({ length: 20_000 }, (_, i) => (seed[i % seed.length] ?? 0) ^ (i >> 5));
}

const [, , directory = "", start = "0"] = process.argv;
const store = await openEmbeddedStore(directory);
tell("open");

async function append(key: string): Promise<void> {
  const { entry } = await store.append("log", key, key);
  tell(`append ${key} ${entry.sequence}`);
}

async function swap(n: number): Promise<void> {
  const found = await store.get("counter");
  const swapped = await store.swap("counter", found?.version ?? null, {
    count: (found?.version ?? 0) + 1,
    n,
  });
  if (swapped) tell(`swap ${swapped.version}`);
}

async function put(n: number): Promise<void> {
  tell(`blob ${await store.putBlob(blobOf(n))}`);
}

for (let n = Number(start); ; n++) {
  await Promise.all([append(`a${n}`), append(`b${n}`), swap(n), put(n), append(`a${n}`)]);
}
