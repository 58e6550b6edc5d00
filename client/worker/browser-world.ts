import { openBackend } from "../backend/open.ts";
import { openShardCache } from "../data/shard-cache.ts";
import { SYSTEM_CLOCK } from "../node/clock.ts";
import { takeSessionSlot } from "../node/coordinator/session.ts";
import type { NodeWorld } from "../node/node-world.ts";
import { shardRows } from "../training/shard-rows.ts";

// As a method of another object, fetch refuses to work.
const request: typeof fetch = (input, init) => fetch(input, init);

const SHARD_CACHE = { name: "astroscale-shards", maxBytes: 1 << 30 };

/** The world of a node in a web worker: the browser's network, clock, storage and devices. */
export function browserWorld(coordinator: string): NodeWorld {
  const cache = openShardCache({ ...SHARD_CACHE, nowMs: () => Date.now() });
  return {
    fetch: request,
    clock: SYSTEM_CLOCK,
    random: () => Math.random(),
    uuid,
    openBackend: (choice, options) => openBackend(choice, options),
    rows: shardRows({ coordinator, fetch: request, cache }),
    takeSlot: takeSessionSlot,
    threads: navigator.hardwareConcurrency,
  };
}

/** A version 4 UUID. `crypto.randomUUID` is missing on plain HTTP from another host. Source: RFC 9562, 5.4. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
