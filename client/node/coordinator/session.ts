import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { JoinReply } from "../../../protocol/nodes.ts";

/** What a node keeps so that a reload goes on as the same node. */
export interface NodeSession extends JoinReply {
  readonly coordinator: string;
  readonly name: string;
}

/** The place of one running node among those of this browser. */
export interface SessionSlot {
  /** The session left there, if any. */
  load(): Promise<NodeSession | null>;
  save(session: NodeSession): Promise<void>;
  clear(): Promise<void>;
  /** Lets another tab have the place; resolves when it is free. */
  release(): Promise<void>;
}

interface SessionDatabase extends DBSchema {
  sessions: { key: [coordinator: string, slot: number]; value: NodeSession };
}

const DATABASE = "astroscale-sessions";
const MAX_SLOTS = 64;

/**
 * The first place no other tab of this browser holds, so that two tabs are two nodes and a reload is the same
 * one. Held by a Web Lock, which the browser lets go when the worker ends in whatever way; the lock also keeps
 * Chrome from freezing a hidden tab. Where the browser has no locks (insecure origin) or no place is free, the
 * slot remembers nothing: every start is a new node.
 */
export async function takeSessionSlot(coordinator: string): Promise<SessionSlot> {
  if (!("locks" in navigator)) return FORGETFUL_SLOT;
  for (let slot = 0; slot < MAX_SLOTS; slot++) {
    const release = await tryLock(`${DATABASE}/${coordinator}/${slot}`);
    if (release !== null) return storedSlot([coordinator, slot], release);
  }
  return FORGETFUL_SLOT;
}

/** Holds the lock until the returned function is called; `null` when somebody else holds it. */
function tryLock(name: string): Promise<(() => Promise<void>) | null> {
  return new Promise((resolve, reject) => {
    const over = navigator.locks.request(name, { mode: "exclusive", ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(null);
        return undefined;
      }
      return new Promise<void>((letGo) => {
        resolve(async () => {
          letGo();
          await over;
        });
      });
    });
    over.catch(reject);
  });
}

function storedSlot(key: [string, number], release: () => Promise<void>): SessionSlot {
  return {
    load: async () => (await withDatabase((database) => database.get("sessions", key))) ?? null,
    async save(session) {
      await withDatabase((database) => database.put("sessions", session, key));
    },
    async clear() {
      await withDatabase((database) => database.delete("sessions", key));
    },
    release,
  };
}

/**
 * Runs `use` on a database opened for it alone: a connection kept open turns useless without an event when
 * the browser clears the origin's data. Gives `undefined` when storage is blocked or full: a node works
 * without a stored session, a reload is then a new node.
 */
async function withDatabase<T>(
  use: (database: IDBPDatabase<SessionDatabase>) => Promise<T>,
): Promise<T | undefined> {
  try {
    const database = await openDB<SessionDatabase>(DATABASE, 1, {
      upgrade: (fresh) => void fresh.createObjectStore("sessions"),
    });
    try {
      return await use(database);
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

const FORGETFUL_SLOT: SessionSlot = {
  load: () => Promise.resolve(null),
  save: () => Promise.resolve(),
  clear: () => Promise.resolve(),
  release: () => Promise.resolve(),
};
