import type { OpenOptions } from "../../../../client/backend/open.ts";
import type { NodeSession } from "../../../../client/node/coordinator/session.ts";
import type { BackendChoice, NodeOptions, NodeState } from "../../../../client/node/state.ts";
import { Volunteer } from "../../../../client/node/volunteer.ts";
import type { FakeCoordinator } from "./fake-coordinator.ts";
import { FakeBackend, fixedRows, LeapingClock, memorySlot, NO_RIVAL, openInTurn } from "./fakes.ts";

/** The options of a node under test. */
export const OPTIONS: NodeOptions = {
  coordinator: "http://coordinator.test",
  name: "node under test",
  backend: "auto",
  threads: null,
  task: null,
};

/** A node with a world of fakes; `parts` replaces some of them. */
export function startNode(
  coordinator: FakeCoordinator,
  parts: {
    backends?: FakeBackend[];
    /** What the first of the backends is measured against. */
    rival?: Promise<FakeBackend | null>;
    clock?: LeapingClock;
    stored?: NodeSession | null;
    options?: Partial<NodeOptions>;
    onOpen?: (choice: BackendChoice, options: OpenOptions) => void;
    onState?: (state: NodeState, node: () => Volunteer) => void;
  } = {},
) {
  const { backends = [new FakeBackend("wasm")], stored = null, options = {}, onOpen, onState } = parts;
  const { clock = new LeapingClock(), rival = NO_RIVAL } = parts;
  const openNext = openInTurn(...backends);
  const slot = memorySlot(stored);
  const rows = fixedRows();
  const states: NodeState[] = [];
  let keys = 0;
  const world = {
    fetch: coordinator.fetch,
    clock,
    random: () => 0.5,
    uuid: () => `key-${++keys}`,
    openBackend: async (choice: BackendChoice, given: OpenOptions) => {
      onOpen?.(choice, given);
      return { ...(await openNext()), ...(choice === "auto" ? { rival } : {}) };
    },
    rows,
    takeSlot: async () => slot,
    threads: 4,
  };
  const node: Volunteer = new Volunteer({ ...OPTIONS, ...options }, world, (state) => {
    states.push(state);
    onState?.(state, () => node);
  });
  return { node, clock, slot, rows, states, last: () => states.at(-1) };
}

/** Resolves once `condition` holds, looked at whenever the node has had its turn. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
