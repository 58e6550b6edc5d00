import { describe, expect, test } from "vitest";
import { FakeCoordinator } from "./fake-coordinator.ts";
import { startNode, until } from "./start.ts";

/** Holds the answers to `path` back until they are let go. */
function heldBack(coordinator: FakeCoordinator, path: string): () => void {
  let letGo: () => void = () => {};
  const gate = new Promise<null>((resolve) => {
    letGo = () => resolve(null);
  });
  coordinator.intercept = (call) => (call.path.startsWith(path) ? gate : null);
  return letGo;
}

describe("a node does not wait for one thing with another", () => {
  test("shards come while the global model is on its way", async () => {
    const coordinator = new FakeCoordinator();
    const letGo = heldBack(coordinator, "/federated/model");
    const { node, rows } = startNode(coordinator);
    // Once for the statistics of round 0, once for round 1, whose model is held back.
    await until(() => rows.asked === 2);
    expect(coordinator.updates).toHaveLength(1);
    letGo();
    await node.ended;
    expect(coordinator.updates).toHaveLength(3);
  });

  test("the first plan is asked for while the task's words are on their way", async () => {
    const coordinator = new FakeCoordinator();
    const letGo = heldBack(coordinator, "/tasks/");
    const { node, last } = startNode(coordinator);
    await until(() => coordinator.callsTo("/federated/plan").length > 0);
    expect(last()?.task).toBeNull();
    letGo();
    await node.ended;
    expect(last()).toMatchObject({ phase: "finished", task: { title: "Distances" } });
  });

  test("a model that cannot be had ends the round although its shards are there", async () => {
    const coordinator = new FakeCoordinator();
    coordinator.intercept = ({ path }) =>
      path.startsWith("/federated/model") ? new Response(new Uint8Array(8)) : null;
    const { node, states } = startNode(coordinator);
    await until(() => states.some(({ notice }) => notice !== null));
    await node.stop();
    expect(states.find(({ fault }) => fault !== null)?.fault?.code).toBe("base_model_mismatch");
    expect(coordinator.updates.map(({ round }) => round)).toEqual([0]);
  });
});
