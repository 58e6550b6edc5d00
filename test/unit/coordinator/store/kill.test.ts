import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEmbeddedStore } from "../../../../coordinator/store/embedded.ts";
import type { Store } from "../../../../coordinator/store/store.ts";
import { randomStream } from "../../../../protocol/random.ts";

const KILLS = 20;
/** A turn of the writer tells five writes; a kill falls within the first dozen turns. */
const MAX_LINES = 60;

let bundle: string;
let directory: string;

beforeAll(async () => {
  // Inside node_modules, so that the bundle finds better-sqlite3.
  const cache = join(process.cwd(), "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  bundle = await mkdtemp(join(cache, "astroscale-store-writer-"));
  directory = await mkdtemp(join(tmpdir(), "astroscale-kill-"));
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: new URL("./writer.ts", import.meta.url).pathname,
      outDir: bundle,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "writer.mjs" } },
    },
  });
});
afterAll(async () => {
  await rm(bundle, { recursive: true });
  await rm(directory, { recursive: true });
});

/** Runs the writer and kills it at its `lines`th line. @returns every line it told before it died */
async function writeUntilKilled(start: number, lines: number): Promise<string[]> {
  const writer = spawn(process.execPath, [join(bundle, "writer.mjs"), directory, String(start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: string[] = [];
  const reader = createInterface(writer.stdout);
  reader.on("line", (line) => {
    told.push(line);
    if (told.length === lines) writer.kill("SIGKILL");
  });
  const read = once(reader, "close");
  const [, signal] = await once(writer, "exit");
  await read;
  if (signal !== "SIGKILL") throw new Error(`the writer ended by itself after ${told.length} lines`);
  return told;
}

/** What the writer was told is kept, or a later opening found, over all its lives. */
interface Acknowledged {
  readonly appends: Map<string, number>;
  readonly blobs: Set<string>;
  version: number;
}

function note(acknowledged: Acknowledged, line: string): void {
  const [kind, name = "", sequence] = line.split(" ");
  if (kind === "append") acknowledged.appends.set(name, Number(sequence));
  if (kind === "blob") acknowledged.blobs.add(name);
  if (kind === "swap") acknowledged.version = Math.max(acknowledged.version, Number(name));
}

async function expectLogKept(store: Store, { appends }: Acknowledged): Promise<void> {
  const entries = await store.readLog("log");
  expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, i) => i + 1));
  const found = new Map(entries.map(({ key, sequence }) => [key, sequence]));
  expect(found.size).toBe(entries.length);
  for (const [key, sequence] of appends) expect([key, found.get(key)]).toEqual([key, sequence]);
  for (const [key, sequence] of found) appends.set(key, sequence);
}

async function expectCounterKept(store: Store, acknowledged: Acknowledged): Promise<void> {
  const { version, value } = (await store.get("counter")) ?? { version: 0, value: { count: 0 } };
  expect(value).toMatchObject({ count: version });
  expect(version).toBeGreaterThanOrEqual(acknowledged.version);
  // One swap at most was under way.
  expect(version).toBeLessThanOrEqual(acknowledged.version + 1);
  acknowledged.version = version;
}

async function expectBlobsKept(store: Store, { blobs }: Acknowledged): Promise<void> {
  const files = await readdir(join(directory, "blobs"), { recursive: true });
  const digests = files.map((file) => basename(file)).filter((name) => name.length === 64);
  expect(digests).toEqual(expect.arrayContaining([...blobs]));
  // Also those that nobody was told of: a file under its name is whole.
  for (const digest of digests) expect(await store.getBlob(digest)).toHaveLength(20_000);
}

async function expectKept(acknowledged: Acknowledged): Promise<void> {
  const store = await openEmbeddedStore(directory);
  await expectLogKept(store, acknowledged);
  await expectCounterKept(store, acknowledged);
  await expectBlobsKept(store, acknowledged);
  await store.check();
  await store.close();
}

function integrity(): unknown {
  const database = new Database(join(directory, "astroscale.sqlite"));
  try {
    return database.pragma("integrity_check", { simple: true });
  } finally {
    database.close();
  }
}

test(`no acknowledged write is lost or doubled over ${KILLS} kill -9`, { timeout: 60_000 }, async () => {
  const next = randomStream(20, 1);
  const acknowledged: Acknowledged = { appends: new Map(), blobs: new Set(), version: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    // The last turn begins again: what was cut off is tried again, what was not is found.
    const turns = [...acknowledged.appends.keys()].filter((key) => key.startsWith("a")).length;
    const told = await writeUntilKilled(Math.max(0, turns - 1), 1 + (next() % MAX_LINES));
    for (const line of told) note(acknowledged, line);
    await expectKept(acknowledged);
    expect(integrity()).toBe("ok");
  }
  expect(acknowledged.appends.size).toBeGreaterThan(KILLS);
  expect(acknowledged.blobs.size).toBeGreaterThan(KILLS);
});
