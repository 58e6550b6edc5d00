// A hundred nodes as a coordinator sees them: long polls, heartbeats, updates. They compute nothing.
import type { Heartbeat } from "../protocol/nodes.ts";
import type { RoundPlan } from "../protocol/rounds.ts";
import { ProtocolNode } from "../test/support/protocol-node.ts";
import { answerParent } from "./processes/child-program.ts";

/** Joins `nodes`, opens `listeners` event streams, and works until told to hold. */
export interface CrowdStart {
  readonly kind: "start";
  readonly url: string;
  readonly nodes: number;
  readonly listeners: number;
  /** How long a node takes for a round. */
  readonly workMs: number;
}

/** From now on nodes with a plan keep it and send nothing, so that the round stays open. */
export interface CrowdHold {
  readonly kind: "hold";
}

/** Answer to `CrowdStart`, once everyone is connected. */
export interface CrowdReady {
  readonly tokens: readonly string[];
}

const HEARTBEAT_MS = 10_000;
const WAIT_SECS = 25;

const orders = { holding: false };

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks for work, does it, and asks again, as a volunteer's page does. */
async function takePart(node: ProtocolNode, workMs: number): Promise<void> {
  for (;;) {
    const plan = await node.plan(WAIT_SECS);
    if ("kind" in plan) await work(node, plan, workMs);
    else if (plan.finished) return;
  }
}

async function work(node: ProtocolNode, plan: RoundPlan, workMs: number): Promise<void> {
  await sleep(workMs);
  while (orders.holding) await sleep(workMs);
  const response = await node.send(node.update(plan, 0.001));
  await response.arrayBuffer();
  // Stale updates are part of life; anything else would make the figures worthless.
  if (response.status !== 202 && response.status !== 409)
    throw new Error(`update answered ${response.status}`);
}

async function beat(node: ProtocolNode): Promise<void> {
  for (let count = 0; ; count++) {
    const heartbeat: Heartbeat = { state: "training", backend: "wasm", examplesPerSecond: 1_000 + count };
    const response = await node.call("/federated/heartbeat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(heartbeat),
    });
    await response.arrayBuffer();
    await sleep(HEARTBEAT_MS);
  }
}

async function listen(url: string): Promise<void> {
  const { body } = await fetch(`${url}/federated/events`);
  if (body) for await (const chunk of body) if (chunk.length === 0) return;
}

async function start({ url, nodes, listeners, workMs }: CrowdStart): Promise<CrowdReady> {
  const request = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init);
  for (let i = 0; i < listeners; i++) void listen(url);
  const joined: ProtocolNode[] = [];
  for (let i = 0; i < nodes; i++) {
    const node = await ProtocolNode.join(request, `bench ${i}`);
    joined.push(node);
    void takePart(node, workMs);
    void beat(node);
    // Spread out, so that heartbeats do not come all at once.
    await sleep(10);
  }
  return { tokens: joined.map(({ token }) => token) };
}

answerParent(async (message) => {
  const order = message as CrowdStart | CrowdHold;
  if (order.kind === "start") return start(order);
  orders.holding = true;
  return {};
});
