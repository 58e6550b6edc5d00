import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../node/clock.ts";
import type { NodeWorld } from "../node/node-world.ts";
import { shardRows } from "../training/shard-rows.ts";
import { openEdgeBackend } from "./edge-backend.ts";
import { type SessionOwner, takeFileSlot } from "./file-session-slot.ts";
import { openFileShardCache } from "./file-shard-cache.ts";

const MAX_CACHE_BYTES = 4 * 2 ** 30;

/**
 * The world of a node in Node: its network, clock and devices, and a directory with the sessions of the nodes that
 * share it and the shards of all of them.
 */
export function edgeWorld(owner: SessionOwner, stateDirectory: string): NodeWorld {
  const cache = openFileShardCache({
    directory: join(stateDirectory, "shards"),
    maxBytes: MAX_CACHE_BYTES,
    nowMs: () => Date.now(),
  });
  return {
    fetch,
    clock: SYSTEM_CLOCK,
    random: () => Math.random(),
    uuid: () => randomUUID(),
    openBackend: openEdgeBackend,
    rows: shardRows({ coordinator: owner.coordinator, fetch, cache }),
    takeSlot: () => takeFileSlot(join(stateDirectory, "sessions"), owner),
    threads: availableParallelism(),
  };
}
