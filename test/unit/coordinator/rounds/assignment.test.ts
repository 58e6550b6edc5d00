import { describe, expect, test } from "vitest";
import { assignShards } from "../../../../coordinator/rounds/assignment.ts";
import { randomStream } from "../../../../protocol/random.ts";

const shards = (count: number): { id: string; rows: number }[] =>
  Array.from({ length: count }, (_, k) => ({ id: `s${k}`, rows: 100 + k }));

describe("assignShards", () => {
  test("gives 10 shards to 4 nodes as 3, 3, 2 and 2", () => {
    const sizes = assignShards(shards(10), ["a", "b", "c", "d"], new Map()).map(
      (entry) => entry.shards.length,
    );
    expect(sizes.toSorted((x, y) => x - y)).toEqual([2, 2, 3, 3]);
  });

  test("leaves shards with the node that had them", () => {
    const first = assignShards(shards(10), ["a", "b", "c", "d"], new Map());
    const owners = new Map(
      first.flatMap(({ nodeId, shards: own }) => own.map((id) => [id, nodeId] as const)),
    );
    const again = assignShards(shards(10), ["d", "c", "b", "a"], owners);
    expect(again.toSorted((x, y) => (x.nodeId < y.nodeId ? -1 : 1))).toEqual(first);
  });

  test("gives work to a newcomer although former owners hold everything", () => {
    const owners = new Map(shards(2).map(({ id }, k) => [id, ["a", "b"][k] ?? ""] as const));
    expect(assignShards(shards(4), ["a", "b", "c"], owners).every((entry) => entry.shards.length > 0)).toBe(
      true,
    );
  });

  test("gives nothing to nodes beyond the number of shards, and nothing at all to nobody", () => {
    expect(assignShards(shards(2), ["a", "b", "c"], new Map()).map(({ nodeId }) => nodeId)).toEqual([
      "a",
      "b",
    ]);
    expect(assignShards(shards(2), [], new Map())).toEqual([]);
    expect(assignShards([], ["a"], new Map())).toEqual([]);
  });

  test("covers every shard once and leaves nobody idle, whoever had them before", () => {
    const next = randomStream(1, 99);
    for (let trial = 0; trial < 500; trial++) {
      const all = shards(1 + (next() % 24));
      const nodes = Array.from({ length: 1 + (next() % 8) }, (_, n) => `n${n}`);
      const owners = new Map(all.filter(() => next() % 2).map(({ id }) => [id, `n${next() % 10}`] as const));
      const given = assignShards(all, nodes, owners);
      expect(given.flatMap((entry) => entry.shards).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
      expect(Math.min(...given.map((entry) => entry.shards.length))).toBeGreaterThan(0);
      for (const entry of given) {
        const rows = all
          .filter(({ id }) => entry.shards.includes(id))
          .reduce((sum, shard) => sum + shard.rows, 0);
        expect(entry.rows).toBe(rows);
      }
    }
  });
});
