import { describe, expect, test } from "vitest";
import {
  baselineTask,
  campaigns,
  nodesOf,
  selectedCampaign,
  totalsOf,
  typicalSeconds,
} from "../../../../client/page/campaign-figures.ts";
import {
  afterEvent,
  afterRounds,
  afterStatus,
  type DashboardState,
  KEPT_REJECTIONS,
  NOTHING_KNOWN,
} from "../../../../client/page/dashboard-state.ts";
import type { CampaignEvent } from "../../../../protocol/events.ts";
import { coordinatorStatus, nodeStatus, roundStatus, taskSpec, taskStatus } from "./campaign.ts";

const campaign = taskStatus(taskSpec());
const baseline = taskStatus(taskSpec({ id: "sdss-central", baselineOf: "sdss-class" }), {
  state: "finished",
});

function known(): DashboardState {
  const status = coordinatorStatus([campaign, baseline], [nodeStatus()]);
  const rounds = [roundStatus(2), roundStatus(0), roundStatus(1)];
  return afterRounds(afterStatus(NOTHING_KNOWN, status), { task: "sdss-class", rounds });
}

function apply(state: DashboardState, ...events: readonly CampaignEvent[]): DashboardState {
  return events.reduce((next, event) => afterEvent(next, event, 5000), state);
}

const rejection = (message: string): CampaignEvent => ({
  kind: "update-rejected",
  task: "sdss-class",
  nodeId: null,
  name: null,
  code: "stale_round",
  message,
});

describe("what the dashboard knows", () => {
  test("rounds are kept in order, however the coordinator lists them", () => {
    expect(
      known()
        .rounds.get("sdss-class")
        ?.map(({ round }) => round),
    ).toEqual([0, 1, 2]);
  });

  test("a round that is heard of replaces the one of its number and is put in its place", () => {
    const changed = roundStatus(1, { examples: 7 });
    const state = apply(known(), { kind: "round", round: roundStatus(3) }, { kind: "round", round: changed });
    const rounds = state.rounds.get("sdss-class") ?? [];
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 2, 3]);
    expect(rounds[1]?.examples).toBe(7);
  });

  test("a round of a task whose history was not read starts no history with holes", () => {
    const state = apply(known(), { kind: "round", round: roundStatus(9, { task: "other" }) });
    expect(state.rounds.has("other")).toBe(false);
  });

  test("the same events applied twice leave the same tasks, nodes and rounds", () => {
    const events: CampaignEvent[] = [
      { kind: "task", task: { ...campaign, round: 4 } },
      { kind: "node", node: nodeStatus({ nodeId: "00000000000000b2", name: "ben" }) },
      { kind: "round", round: roundStatus(3) },
      { kind: "node-left", nodeId: "00000000000000a1" },
    ];
    const once = apply(known(), ...events);
    expect(apply(once, ...events)).toEqual(once);
    expect(once.nodes.map(({ name }) => name)).toEqual(["ben"]);
    expect(once.tasks.map(({ round }) => round)).toEqual([4, 3]);
  });

  test("the time of opening is noted when a round begins to collect, and again when it is opened again", () => {
    const open = (attempts: number): CampaignEvent => ({
      kind: "round",
      round: roundStatus(3, { phase: "collecting", attempts }),
    });
    const first = afterEvent(known(), open(0), 1000);
    const update = afterEvent(first, open(0), 2000);
    const again = afterEvent(update, open(1), 3000);
    expect([first, update, again].map((state) => state.openings.get("sdss-class")?.atMs)).toEqual([
      1000, 1000, 3000,
    ]);
  });

  test("rejections are listed the newest first, and only so many", () => {
    const many = Array.from({ length: KEPT_REJECTIONS + 5 }, (_, i) => rejection(String(i)));
    const { rejections } = apply(known(), ...many);
    expect(rejections).toHaveLength(KEPT_REJECTIONS);
    expect(rejections[0]?.message).toBe(String(KEPT_REJECTIONS + 4));
    expect(new Set(rejections.map(({ serial }) => serial)).size).toBe(KEPT_REJECTIONS);
  });
});

describe("figures of a campaign", () => {
  test("a baseline is the reference of its campaign and no campaign itself", () => {
    expect(campaigns(known()).map(({ task }) => task.id)).toEqual(["sdss-class"]);
    expect(baselineTask(known(), "sdss-class")?.task.id).toBe("sdss-central");
    expect(selectedCampaign(known(), "sdss-central")?.task.id).toBe("sdss-class");
  });

  test("without a choice a running campaign comes before a finished one", () => {
    const done = taskStatus(taskSpec({ id: "done" }), { state: "finished" });
    const state = { ...known(), tasks: [done, campaign] };
    expect(selectedCampaign(state, null)?.task.id).toBe("sdss-class");
    expect(selectedCampaign(state, "done")?.task.id).toBe("done");
    expect(selectedCampaign(NOTHING_KNOWN, "done")).toBeNull();
  });

  test("speed is summed over nodes that compute: neither lost nor paused, nor silent so far", () => {
    const nodes = [
      nodeStatus({ examplesPerSecond: 1000 }),
      nodeStatus({ examplesPerSecond: 500, state: "waiting" }),
      nodeStatus({ examplesPerSecond: 7000, state: "lost" }),
      nodeStatus({ examplesPerSecond: 9000, state: "paused" }),
      nodeStatus({ examplesPerSecond: null }),
    ];
    expect(totalsOf(nodes, [])).toMatchObject({ connected: 4, lost: 1, examplesPerSecond: 1500 });
    expect(totalsOf([], []).examplesPerSecond).toBeNull();
  });

  test("bytes, examples and refusals are summed over the rounds, the most frequent reason first", () => {
    const rounds = [
      roundStatus(1, { rejected: { norm_exceeded: 1 } }),
      roundStatus(2, { rejected: { stale_round: 2, norm_exceeded: 1 } }),
      roundStatus(3, { rejected: { stale_round: 1 } }),
    ];
    const totals = totalsOf([], rounds);
    expect(totals).toMatchObject({ bytesUp: 300, bytesDown: 600, examples: 12_000 });
    expect(totals.rejected).toEqual([
      ["stale_round", 3],
      ["norm_exceeded", 2],
    ]);
  });

  test("lost nodes are listed last, and nodes of other tasks not at all", () => {
    const nodes = [
      nodeStatus({ name: "a", state: "lost" }),
      nodeStatus({ name: "c" }),
      nodeStatus({ name: "b" }),
      nodeStatus({ name: "d", task: "other" }),
    ];
    expect(nodesOf({ ...NOTHING_KNOWN, nodes }, "sdss-class").map(({ name }) => name)).toEqual([
      "b",
      "c",
      "a",
    ]);
  });

  test("a usual round is the middle one of the closed training rounds", () => {
    const rounds = [roundStatus(0, { seconds: 900 }), ...[1, 2, 3].map((round) => roundStatus(round))];
    expect(typicalSeconds([...rounds, roundStatus(4, { phase: "collecting", seconds: null })])).toBe(3);
    expect(typicalSeconds([])).toBeNull();
  });
});
