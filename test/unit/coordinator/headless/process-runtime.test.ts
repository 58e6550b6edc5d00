import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { NodeRuntime, RunningNode } from "../../../../coordinator/headless/node-runtime.ts";
import { processRuntime } from "../../../../coordinator/headless/process/process-runtime.ts";
import { TRAINING } from "./fakes.ts";

const START = {
  coordinator: "http://127.0.0.1:8081",
  name: "n-1",
  task: null,
  backend: "wasm",
  threads: 1,
} as const;

let folder: string;
let runtime: NodeRuntime;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-runtime-"));
});

afterEach(async () => {
  await runtime.close();
  await rm(folder, { recursive: true, force: true });
});

/** A node whose process runs `onOrder` for each order; `say(phase)` tells a state. */
async function start(onOrder: string, stateDirectory: string | null = folder): Promise<RunningNode> {
  const program = join(folder, "program.mjs");
  await writeFile(
    program,
    `const state = ${JSON.stringify(TRAINING)};
     const say = (phase, more = {}) => process.send({ kind: "state", state: { ...state, phase, ...more } });
     process.on("message", async (order) => { ${onOrder} });`,
  );
  runtime = processRuntime({ stateDirectory, program });
  await runtime.open();
  return runtime.start(START);
}

/** Waits until the node says something. */
function said(node: RunningNode, phase: string): Promise<void> {
  return vi.waitFor(async () => expect(await node.state()).toMatchObject({ phase }), 5_000);
}

test("a node's state is what its process told last, and nothing before it told any", async () => {
  const node = await start(`say("joining"); say("training", { updatesAccepted: 2 });`);
  expect(await node.state()).toBeNull();
  await said(node, "training");
  expect(await node.state()).toEqual({ ...TRAINING, updatesAccepted: 2 });
});

test("a process that ends without a final state is a crash, told with what it said", async () => {
  const node = await start(
    `say("training"); setTimeout(() => { throw new TypeError("no such kernel") }, 50);`,
  );
  await vi.waitFor(
    () => expect(node.state()).rejects.toThrow("ended with exit code 1: TypeError: no such kernel"),
    5_000,
  );
});

test("a process that is killed is a crash too", async () => {
  const node = await start(`say("training"); process.kill(process.pid, "SIGKILL");`);
  await vi.waitFor(
    () => expect(node.state()).rejects.toThrow("the node's process ended with SIGKILL"),
    5_000,
  );
});

test("a final state stands after its process has ended", async () => {
  const node = await start(`say("finished"); process.disconnect();`);
  await said(node, "finished");
  await node.close();
  expect(await node.state()).toMatchObject({ phase: "finished" });
});

test("a stop reaches the process and is done when it has ended", async () => {
  const node = await start(
    `if (order.kind === "stop") { say("stopped"); process.disconnect(); } else say("training");`,
  );
  await said(node, "training");
  await node.stop();
  expect(await node.state()).toMatchObject({ phase: "stopped" });
});

test("a process that refuses its order fails with the code it gives", async () => {
  const node = await start(`process.send({ kind: "failed", code: "invalid_request", message: "no" });`);
  await vi.waitFor(
    () => expect(node.state()).rejects.toMatchObject({ code: "invalid_request", message: "no" }),
    5_000,
  );
});

test("the order says whom to join, and where the node keeps itself: by itself in a folder that goes with the pool", async () => {
  const told = join(folder, "told.json");
  const node = await start(
    `const { writeFileSync } = await import("node:fs");
     writeFileSync(${JSON.stringify(told)}, JSON.stringify(order)); say("training");`,
    null,
  );
  await said(node, "training");
  const { stateDirectory, ...order } = JSON.parse(await readFile(told, "utf8")) as { stateDirectory: string };
  expect(order).toEqual({ kind: "volunteer", ...START });
  expect(existsSync(stateDirectory)).toBe(true);
  await runtime.close();
  expect(existsSync(stateDirectory)).toBe(false);
});

test("a folder that is given stays, and one that cannot be made refuses the pool", async () => {
  const place = join(folder, "nodes");
  await start("", place);
  await runtime.close();
  expect(existsSync(place)).toBe(true);
  await writeFile(join(folder, "file"), "");
  runtime = processRuntime({ stateDirectory: join(folder, "file", "nodes"), program: "x" });
  await expect(runtime.open()).rejects.toMatchObject({ code: "invalid_request" });
});
