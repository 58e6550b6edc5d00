import { expect, test, vi } from "vitest";
import type { NodeHandle, NodeOptions, NodeState } from "../../client/node/state.ts";
import { openNode } from "../../client/worker/open.ts";
// oxlint-disable-next-line import/default -- Vite makes this module
import entryUrl from "./node-worker-entry.ts?worker&url";

const OPTIONS: NodeOptions = {
  coordinator: "http://running.test",
  name: "a node in a worker",
  backend: "wasm",
  threads: 1,
  task: null,
};
const FINAL = ["stopped", "finished", "failed"];

/** A node in its worker, and all it said. */
function start(
  change: Partial<NodeOptions>,
  url = entryUrl,
): { handle: NodeHandle; states: NodeState[]; ended: Promise<NodeState> } {
  const states: NodeState[] = [];
  const started: NodeHandle[] = [];
  const ended = new Promise<NodeState>((resolve) => {
    const onState = (state: NodeState): void => {
      states.push(state);
      if (FINAL.includes(state.phase)) resolve(state);
    };
    started.push(openNode({ ...OPTIONS, ...change }, onState, url));
  });
  const [handle] = started;
  if (handle === undefined) throw new Error("unreachable: openNode gives a handle or throws");
  return { handle, states, ended };
}

/** The losses of every local epoch, in order. */
function lossesOf(states: readonly NodeState[]): number[] {
  return states
    .filter((state, i) => state.localEpoch > 0 && state.localEpoch !== states[i - 1]?.localEpoch)
    .map(({ loss }) => loss ?? Number.NaN);
}

test("a worker learns a line on both backends, with the same losses", async () => {
  const losses: number[][] = [];
  for (const backend of ["wasm", "webgpu"] as const) {
    const { states, ended } = start({ backend });
    const last = await ended;
    expect(last).toMatchObject({ phase: "finished", backend, notice: null, error: null, updatesAccepted: 3 });
    losses.push(lossesOf(states));
  }
  const [wasm = [], webgpu = []] = losses;
  // Two rounds of three local epochs; 288 steps along a line of 2 parameters end close to it.
  expect(wasm).toHaveLength(6);
  expect(wasm[5]).toBeLessThan((wasm[0] ?? 0) / 100);
  for (const [i, loss] of webgpu.entries()) expect(loss).toBeCloseTo(wasm[i] ?? Number.NaN, 4);
});

test("a node that may choose finishes with what it measured to be faster, or before the other was ready", async () => {
  const { ended } = start({ backend: "auto" });
  const last = await ended;
  expect(last).toMatchObject({ phase: "finished", notice: null, error: null, updatesAccepted: 3 });
  const [wasm, webgpu] = last.probes;
  const isFaster = (webgpu?.examplesPerSecond ?? 0) > (wasm?.examplesPerSecond ?? 0);
  expect(last.backend).toBe(isFaster ? "webgpu" : "wasm");
});

test("a shard that was downloaded once is not downloaded again by the next node", async () => {
  await start({}).ended;
  const { states, ended } = start({});
  // The two global models of 2 float32 each and their headers; the shard has more rows than that has bytes.
  expect((await ended).bytesDown).toBeLessThan(96 * 8);
  expect(states.some(({ phase }) => phase === "downloading")).toBe(true);
});

test("a waiting node pauses, resumes and stops, and its worker ends", async () => {
  const { handle, states, ended } = start({ coordinator: "http://waiting.test" });
  await vi.waitUntil(() => states.at(-1)?.reason === "1 of 2 nodes", { timeout: 10_000 });
  await handle.pause();
  expect(states.at(-1)?.phase).toBe("paused");
  await handle.resume();
  await vi.waitUntil(() => states.at(-1)?.phase === "waiting", { timeout: 10_000 });
  await handle.stop();
  expect((await ended).phase).toBe("stopped");
  // Calls to a node that has ended are no errors.
  await handle.pause();
  await handle.stop();
});

test("a worker whose script is missing is a node that failed", async () => {
  const { ended } = start({}, "/there-is-no-such-script.js");
  expect(await ended).toMatchObject({ phase: "failed", error: { code: "internal" } });
});

test("a script of another origin is refused", () => {
  expect(() => openNode(OPTIONS, () => {}, "https://elsewhere.test/worker.js")).toThrow(/is not of/);
});
