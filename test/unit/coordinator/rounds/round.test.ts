import { describe, expect, test } from "vitest";
import {
  advance,
  markSent,
  newRound,
  type Round,
  type RoundContext,
} from "../../../../coordinator/rounds/round.ts";
import { TINY_TASK } from "../../../support/test-coordinator.ts";

const shards = [0, 1, 2, 3].map((k) => ({ id: `s${k}`, rows: 100 }));
const context = (nodes: string[], nowMs = 0): RoundContext => ({
  rules: TINY_TASK.rules,
  shards,
  nodes,
  previous: new Map(),
  nowMs,
});
const DEADLINE_MS = TINY_TASK.rules.roundDeadlineSecs * 1000;

function collecting(nodes: string[], number = 1): Round {
  return advance(newRound(number), context(nodes));
}

describe("a round", () => {
  test("waits until minNodes are there", () => {
    expect(advance(newRound(1), context(["a"])).phase).toBe("waiting");
    expect(advance(newRound(1), context(["a", "b"])).phase).toBe("collecting");
  });

  test("does not open before its time", () => {
    const round = newRound(2, 5_000);
    expect(advance(round, context(["a", "b"], 4_999)).phase).toBe("waiting");
    expect(advance(round, context(["a", "b"], 5_000)).phase).toBe("collecting");
  });

  test("gives every shard to exactly one member", () => {
    const { cohort } = collecting(["a", "b", "c"]);
    expect(cohort.flatMap((member) => member.shards).toSorted()).toEqual(["s0", "s1", "s2", "s3"]);
    expect(cohort.map(({ nodeId }) => nodeId)).toEqual(["a", "b", "c"]);
  });

  test("aggregates when every member has sent", () => {
    const one = markSent(collecting(["a", "b"]), "a");
    expect(advance(one, context(["a", "b"])).phase).toBe("collecting");
    expect(advance(markSent(one, "b"), context(["a", "b"])).phase).toBe("aggregating");
  });

  test("does not wait for a straggler that leaves when enough updates are there", () => {
    const sent = markSent(markSent(collecting(["a", "b", "c"]), "a"), "b");
    expect(advance(sent, context(["a", "b", "c"])).phase).toBe("collecting");
    expect(advance(sent, context(["a", "b"])).phase).toBe("aggregating");
  });

  test("keeps a sent update of a node that left afterwards", () => {
    const sent = markSent(collecting(["a", "b"]), "a");
    const after = advance(sent, context(["b"]));
    expect(after.cohort.map(({ nodeId }) => nodeId)).toEqual(["a", "b"]);
    expect(advance(markSent(after, "b"), context(["b"])).phase).toBe("aggregating");
  });

  test("gives a lost member's shards to a newcomer", () => {
    const sent = markSent(collecting(["a", "b"]), "a");
    const lost = sent.cohort.find(({ nodeId }) => nodeId === "b");
    const stuck = advance(sent, context(["a"]));
    expect(stuck.phase).toBe("collecting");
    const helped = advance(stuck, context(["a", "c"]));
    expect(helped.cohort.find(({ nodeId }) => nodeId === "c")?.shards).toEqual(lost?.shards);
    expect(advance(markSent(helped, "c"), context(["a", "c"])).phase).toBe("aggregating");
  });

  test("closes at the deadline with minNodes updates", () => {
    const sent = markSent(markSent(collecting(["a", "b", "c"]), "a"), "b");
    expect(advance(sent, context(["a", "b", "c"], DEADLINE_MS - 1)).phase).toBe("collecting");
    expect(advance(sent, context(["a", "b", "c"], DEADLINE_MS)).phase).toBe("aggregating");
  });

  test("begins another attempt at a deadline with too few updates, keeping what was sent", () => {
    const sent = markSent(collecting(["a", "b"]), "a");
    const again = advance(sent, context(["a", "b"], DEADLINE_MS));
    expect(again).toMatchObject({ phase: "collecting", attempts: 1, deadlineMs: 2 * DEADLINE_MS });
    expect(again.cohort.map(({ nodeId, sent: done }) => [nodeId, done])).toEqual([
      ["a", true],
      ["b", false],
    ]);
  });

  test("of statistics closes early only when every shard is covered", () => {
    const sent = markSent(markSent(collecting(["a", "b", "c"], 0), "a"), "b");
    expect(advance(sent, context(["a", "b"])).phase).toBe("collecting");
    expect(advance(sent, context(["a", "b"], DEADLINE_MS)).phase).toBe("aggregating");
  });

  test("takes no more than maxNodes", () => {
    const round = advance(newRound(1), {
      ...context(["a", "b", "c"]),
      rules: { ...TINY_TASK.rules, maxNodes: 2 },
    });
    expect(round.cohort.map(({ nodeId }) => nodeId)).toEqual(["a", "b"]);
  });

  test("is judged the same twice", () => {
    const once = collecting(["a", "b", "c"]);
    expect(advance(once, context(["a", "b", "c"]))).toEqual(once);
  });
});
