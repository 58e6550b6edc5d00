import { describe, expect, test } from "vitest";
import { INITIAL_STATE } from "../../../../client/node/announcer.ts";
import type { NodeOptions, NodeState } from "../../../../client/node/state.ts";
import {
  nameProblem,
  readJoinParameters,
  suggestName,
} from "../../../../client/page/volunteer/join-parameters.ts";
import { type RoundLoss, withLoss } from "../../../../client/page/volunteer/loss-history.ts";
import { announcement, phaseLine } from "../../../../client/page/volunteer/phase-words.ts";
import { threadChoices } from "../../../../client/page/volunteer/thread-choices.ts";
import { createVolunteer, type OpenNode } from "../../../../client/page/volunteer/volunteer-model.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { NodeName } from "../../../../protocol/nodes.ts";
import { CATALOG, taskSpec, taskStatus } from "./campaign.ts";

function state(parts: Partial<NodeState>): NodeState {
  return { ...INITIAL_STATE, ...parts };
}

describe("the address of the volunteer page", () => {
  test("a headless node is described by five parameters", () => {
    expect(readJoinParameters("?join=auto&name=ci-1&backend=wasm&threads=2&task=sdss-class")).toEqual({
      auto: true,
      name: "ci-1",
      backend: "wasm",
      threads: 2,
      task: "sdss-class",
    });
  });

  test("what is not understood counts as absent", () => {
    const hostile = readJoinParameters("?join=yes&name=%E2%80%AEevil&backend=cuda&task=../etc");
    expect(hostile).toEqual({ auto: false, name: null, backend: "auto", threads: null, task: null });
  });

  test("a refused name is explained by what is wrong with it", () => {
    expect(nameProblem("anna's laptop")).toBeNull();
    expect(nameProblem("  ")).toContain("Choose a name");
    expect(nameProblem("x".repeat(70))).toContain("70 characters");
    expect(nameProblem("a\u202eb")).toContain("direction");
  });

  test("every suggested name is one the coordinator takes", () => {
    for (const random of [0, 0.25, 0.5, 0.999_999]) {
      expect(NodeName.safeParse(suggestName(() => random)).success).toBe(true);
    }
  });
});

describe("the threads on offer", () => {
  test("rise from one to all of the machine, and hold what was chosen before", () => {
    expect(threadChoices(1)).toEqual([1]);
    expect(threadChoices(4)).toEqual([1, 2, 3, 4]);
    expect(threadChoices(20)).toEqual([1, 2, 3, 4, 6, 8, 12, 16, 20]);
    expect(threadChoices(8, 5)).toEqual([1, 2, 3, 4, 5, 6, 8]);
    expect(threadChoices(2, 16)).toEqual([1, 2]);
  });
});

describe("the losses of a node", () => {
  test("each training round keeps the loss of its last local epoch", () => {
    const states = [
      state({ phase: "preprocessing", round: 0, loss: null }),
      state({ phase: "training", round: 1, localEpoch: 0, loss: null }),
      state({ phase: "training", round: 1, localEpoch: 1, loss: 0.9 }),
      state({ phase: "training", round: 1, localEpoch: 2, loss: 0.8 }),
      state({ phase: "sending", round: 1, localEpoch: 2, loss: 0.8 }),
      // The next round begins with the loss of the one before.
      state({ phase: "downloading", round: 2, loss: 0.8 }),
      state({ phase: "training", round: 2, localEpoch: 0, loss: 0.8 }),
      state({ phase: "training", round: 2, localEpoch: 1, loss: 0.5 }),
      state({ phase: "waiting", round: 2, loss: 0.5 }),
    ];
    const histories = states.map((_, i) => states.slice(0, i + 1).reduce<readonly RoundLoss[]>(withLoss, []));
    // Nothing is said of round 2 before its own first local epoch is done.
    expect(histories[6]).toEqual([{ round: 1, loss: 0.8 }]);
    expect(histories.at(-1)).toEqual([
      { round: 1, loss: 0.8 },
      { round: 2, loss: 0.5 },
    ]);
  });
});

describe("the words for a phase", () => {
  test("a node that waits says why, in the coordinator's words", () => {
    expect(phaseLine(state({ phase: "waiting", reason: "waiting for 1 of 2 nodes" }))).toBe(
      "Waiting for 1 of 2 nodes",
    );
  });

  test("the local epoch that is being trained is counted from one and never beyond the last", () => {
    const training = { phase: "training", localEpochs: 5 } as const;
    expect(phaseLine(state({ ...training, localEpoch: 0 }))).toContain("1 of 5");
    expect(phaseLine(state({ ...training, localEpoch: 5 }))).toContain("5 of 5");
  });

  test("the steps within a round are announced as one, so that a screen reader keeps silent through them", () => {
    const steps = ["downloading", "preprocessing", "training", "sending", "waiting"] as const;
    expect(new Set(steps.map((phase) => announcement(state({ phase, round: 3 })))).size).toBe(1);
    expect(announcement(state({ phase: "paused", round: 3 }))).toContain("Paused");
  });
});

describe("a volunteer", () => {
  const answer = (path: string): Promise<Response> =>
    Promise.resolve(Response.json(path === "/tasks" ? { tasks: [taskStatus(taskSpec())] } : CATALOG));

  function volunteerWith(openNode: OpenNode) {
    return createVolunteer({ fetch: answer, openNode, coordinator: "http://coordinator" });
  }
  const idle = { pause: async () => {}, resume: async () => {}, stop: async () => {} };

  test("joins with what was chosen and shows every state of the node", async () => {
    const asked: NodeOptions[] = [];
    const volunteer = volunteerWith((options, onState) => {
      asked.push(options);
      onState(state({ phase: "training", round: 1, localEpoch: 1, loss: 0.7 }));
      return idle;
    });
    await volunteer.join({ name: "anna", backend: "auto", threads: null, task: null });
    expect(asked).toEqual([
      { name: "anna", backend: "auto", threads: null, task: null, coordinator: "http://coordinator" },
    ]);
    expect(volunteer.node.value?.phase).toBe("training");
    expect(volunteer.losses.value).toEqual([{ round: 1, loss: 0.7 }]);
  });

  test("has one node at a time, and a second one after the first has ended", async () => {
    let opened = 0;
    let tell: (state: NodeState) => void = () => {};
    const volunteer = volunteerWith((_, onState) => {
      opened++;
      tell = onState;
      return idle;
    });
    const options = { name: "anna", backend: "auto", threads: null, task: null } as const;
    await volunteer.join(options);
    await volunteer.join(options);
    expect(opened).toBe(1);
    tell(state({ phase: "failed", error: { code: "diverged", message: "loss is NaN" } }));
    await volunteer.join(options);
    expect(opened).toBe(2);
  });

  test("whose node cannot start sees the reason and its code", async () => {
    const volunteer = volunteerWith(() => {
      throw new AstroScaleError("device_unavailable", "no adapter");
    });
    await volunteer.join({ name: "anna", backend: "webgpu", threads: null, task: null });
    expect(volunteer.node.value).toMatchObject({
      phase: "failed",
      error: { code: "device_unavailable", message: "no adapter" },
    });
  });

  test("who stops while the node is starting stops it none the less", async () => {
    let stopped = false;
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const volunteer = volunteerWith(async () => {
      await begun;
      return { ...idle, stop: async () => void (stopped = true) };
    });
    const joining = volunteer.join({ name: "anna", backend: "auto", threads: null, task: null });
    const stopping = volunteer.stop();
    begin();
    await Promise.all([joining, stopping]);
    expect(stopped).toBe(true);
    expect(volunteer.node.value?.phase).toBe("stopped");
  });

  test("reads the campaigns with their catalogs, and says why when it cannot", async () => {
    const volunteer = volunteerWith(() => idle);
    await volunteer.readTasks();
    expect(volunteer.tasks.value?.map(({ task }) => task.id)).toEqual(["sdss-class"]);
    expect(volunteer.catalogs.value.get("sdss")?.rows).toBe(8014);
    const refused = createVolunteer({
      fetch: async () =>
        Response.json({ code: "store_unavailable", message: "disk is gone" }, { status: 503 }),
      openNode: () => idle,
      coordinator: "",
    });
    await refused.readTasks();
    expect(refused.problem.value).toBe("disk is gone");
  });
});
