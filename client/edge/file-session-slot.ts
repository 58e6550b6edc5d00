import { createHash } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { JoinReply } from "../../protocol/nodes.ts";
import type { NodeSession, SessionSlot } from "../node/coordinator/session.ts";

const StoredSession = z.strictObject({ ...JoinReply.shape, coordinator: z.string(), name: z.string() });

/** The session holds the node's token. */
const PRIVATE = { mode: 0o600 };

/** Whose place it is. */
export interface SessionOwner {
  readonly coordinator: string;
  readonly name: string;
}

/**
 * The place of the node called `name` at `coordinator` among those of `directory`, so that a node started again is the
 * same one. Held by a file with this process's id: where another process that lives has the place, the slot
 * remembers nothing, and every start is a new node.
 */
export async function takeFileSlot(
  directory: string,
  { coordinator, name }: SessionOwner,
): Promise<SessionSlot> {
  const place = createHash("sha256").update(`${coordinator}\n${name}`).digest("hex").slice(0, 32);
  const file = join(directory, `${place}.json`);
  const lock = join(directory, `${place}.pid`);
  await mkdir(directory, { recursive: true });
  const isHeld = await tryLock(lock);
  const held = async (work: () => Promise<void>): Promise<void> => {
    if (isHeld) await work();
  };
  return {
    load: async () => (isHeld ? readSession(file) : null),
    save: (session) => held(() => writeWhole(file, JSON.stringify(session))),
    clear: () => held(() => rm(file, { force: true })),
    release: () => held(() => rm(lock, { force: true })),
  };
}

async function readSession(file: string): Promise<NodeSession | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    return StoredSession.parse(JSON.parse(text));
  } catch {
    // Another version's, or damaged: the node joins anew and writes its own.
    return null;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, text, PRIVATE);
  await rename(unfinished, file);
}

/** Whether this process has the lock now. One of a process that has ended is taken over. */
async function tryLock(lock: string): Promise<boolean> {
  const mine = `${lock}.${process.pid}`;
  await writeFile(mine, String(process.pid));
  try {
    if (await linked(mine, lock)) return true;
    const holder = Number(await readFile(lock, "utf8").catch(() => "0"));
    if (isAlive(holder)) return holder === process.pid;
    await rm(lock, { force: true });
    return await linked(mine, lock);
  } finally {
    await rm(mine, { force: true });
  }
}

/** A link appears at once with its content, or not at all where there is one already. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It lives, and is another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
