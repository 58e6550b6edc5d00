import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorBody } from "../../../../protocol/replies.ts";
import type { RoundPlan } from "../../../../protocol/rounds.ts";
import { encodeSafeTensors } from "../../../../protocol/safetensors.ts";
import { encodeWeights } from "../../../../protocol/weights.ts";
import { ProtocolNode, type Request, type Upload } from "../../../support/protocol-node.ts";
import { openTestCoordinator, type TestCoordinator, TINY_TASK } from "../../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
let a: ProtocolNode;
let b: ProtocolNode;
let plan: RoundPlan;
const request: Request = async (path, init) => coordinator.app.request(path, init);

async function toRoundOne(): Promise<void> {
  coordinator = await openTestCoordinator();
  a = await ProtocolNode.join(request, "a");
  b = await ProtocolNode.join(request, "b");
  await a.work();
  await b.work();
  plan = await open(a);
}

/** Digest of round 1's model at a coordinator that saw nothing but valid updates. */
let undisturbedModel = "";
beforeAll(async () => {
  await toRoundOne();
  undisturbedModel = await modelAfterRound();
  await coordinator.dispose();
});

beforeEach(toRoundOne);
afterEach(() => coordinator.dispose());

async function open(node: ProtocolNode): Promise<RoundPlan> {
  const got = await node.plan(20);
  if (!("kind" in got)) throw new Error(got.reason);
  return got;
}

async function refusal(response: Promise<Response>): Promise<[number, string]> {
  const answer = await response;
  const body = ErrorBody.parse(await answer.json());
  expect(body.message).not.toMatch(/\bat .*\.ts|node_modules/);
  return [answer.status, body.code];
}

/** The valid update with one parameter replaced. */
function withValue(value: number, at: number): Upload {
  const parameters = new Float32Array(12).fill(0.01);
  parameters[at] = value;
  if (plan.kind !== "train") throw new Error("round 1 trains");
  return { bytes: encodeWeights(TINY_TASK.model, parameters, metadataOf(a, plan)), key: "k" };
}

function metadataOf(node: ProtocolNode, { task, round, ...rest }: RoundPlan): Record<string, string> {
  const baseModel = "baseModel" in rest ? rest.baseModel : "";
  return { task, round: String(round), node: node.nodeId, exampleCount: "100", backend: "wasm", baseModel };
}

/** The model after round 1 when `a` and `b` send what is expected of them, and nothing else counted. */
async function modelAfterRound(): Promise<string> {
  expect((await a.send(a.update(plan))).status).toBe(202);
  await b.work();
  await a.plan(20);
  const response = await request("/federated/model?task=tiny&round=1");
  return response.headers.get("ETag") ?? "";
}

const other = "f".repeat(16);
const cases: readonly [string, number, string, (valid: Upload) => Upload | Promise<Response>][] = [
  ["without a token", 401, "unauthorized", (u) => a.send(u, { Authorization: "" })],
  [
    "with a token of nobody",
    401,
    "unauthorized",
    (u) => a.send(u, { Authorization: `Bearer ${other}.${"A".repeat(43)}` }),
  ],
  [
    "with a token wrong in its last byte",
    401,
    "unauthorized",
    (u) => a.send(u, { Authorization: `Bearer ${a.token.slice(0, -1)}${a.token.endsWith("A") ? "E" : "A"}` }),
  ],
  ["under Basic authorisation", 401, "unauthorized", (u) => a.send(u, { Authorization: `Basic ${a.token}` })],
  ["as text/plain", 415, "unsupported_media_type", (u) => a.send(u, { "Content-Type": "text/plain" })],
  ["compressed", 415, "unsupported_media_type", (u) => a.send(u, { "Content-Encoding": "gzip" })],
  [
    "without an idempotency key",
    400,
    "idempotency_key_missing",
    (u) =>
      a.call("/federated/update", {
        method: "POST",
        headers: { "Content-Type": "application/vnd.safetensors" },
        body: u.bytes,
      }),
  ],
  [
    "with an idempotency key of 300 characters",
    400,
    "invalid_request",
    (u) => a.send(u, { "Idempotency-Key": "x".repeat(300) }),
  ],
  ["of no bytes", 400, "malformed_safetensors", () => ({ bytes: new Uint8Array(0), key: "k" })],
  [
    "cut short by 4 bytes",
    400,
    "malformed_safetensors",
    ({ bytes }) => ({ bytes: bytes.slice(0, -4), key: "k" }),
  ],
  [
    "with 4 bytes too many",
    400,
    "malformed_safetensors",
    ({ bytes }) => ({ bytes: Uint8Array.from([...bytes, 0, 0, 0, 0]), key: "k" }),
  ],
  [
    "of JSON",
    400,
    "malformed_safetensors",
    () => ({ bytes: new TextEncoder().encode('{"delta":[1,2,3]}'), key: "k" }),
  ],
  ["of 1 MiB", 413, "too_large", () => ({ bytes: new Uint8Array(1 << 20), key: "k" })],
  ["with another node's name", 403, "forbidden", () => a.update(plan, 0.01, { node: other })],
  [
    "sent with another node's token",
    403,
    "forbidden",
    (u) => a.send(u, { Authorization: `Bearer ${b.token}` }),
  ],
  ["for another task", 409, "wrong_task", () => a.update(plan, 0.01, { task: "other" })],
  ["for a round gone by", 409, "duplicate_update", () => a.update(plan, 0.01, { round: "0" })],
  ["for a round to come", 409, "stale_round", () => a.update(plan, 0.01, { round: "2" })],
  [
    "trained from another model",
    409,
    "base_model_mismatch",
    () => a.update(plan, 0.01, { baseModel: "0".repeat(64) }),
  ],
  ["with no examples", 400, "invalid_request", () => a.update(plan, 0.01, { exampleCount: "0" })],
  ["with -1 examples", 400, "invalid_request", () => a.update(plan, 0.01, { exampleCount: "-1" })],
  ["with 1.5 examples", 400, "invalid_request", () => a.update(plan, 0.01, { exampleCount: "1.5" })],
  ["with NaN examples", 400, "invalid_request", () => a.update(plan, 0.01, { exampleCount: "NaN" })],
  ["with 1e400 examples", 400, "invalid_request", () => a.update(plan, 0.01, { exampleCount: "1e400" })],
  [
    "claiming a billion examples",
    422,
    "example_count_exceeded",
    () => a.update(plan, 0.01, { exampleCount: "1000000000" }),
  ],
  [
    "with metadata nobody asked for",
    400,
    "invalid_request",
    () => ({
      bytes: encodeWeights(TINY_TASK.model, new Float32Array(12), { ...metadataOf(a, plan), admin: "true" }),
      key: "k",
    }),
  ],
  [
    "with a prototype in its metadata",
    400,
    "malformed_safetensors",
    () => ({
      bytes: encodeWeights(
        TINY_TASK.model,
        new Float32Array(12),
        JSON.parse(`{"__proto__":"x",${JSON.stringify(metadataOf(a, plan)).slice(1)}`),
      ),
      key: "k",
    }),
  ],
  ["with NaN first", 422, "non_finite", () => withValue(Number.NaN, 0)],
  ["with NaN last", 422, "non_finite", () => withValue(Number.NaN, 11)],
  ["with +Infinity", 422, "non_finite", () => withValue(Number.POSITIVE_INFINITY, 5)],
  ["with -Infinity", 422, "non_finite", () => withValue(Number.NEGATIVE_INFINITY, 5)],
  ["of values that overflow float32's norm", 422, "norm_exceeded", () => a.update(plan, 3.4e38)],
  ["just above the norm bound", 422, "norm_exceeded", () => a.update(plan, (10 / Math.sqrt(12)) * 1.0001)],
  [
    "of another shape",
    422,
    "shape_mismatch",
    () => ({
      bytes: encodeWeights({ ...TINY_TASK.model, hidden: [4] }, new Float32Array(31), metadataOf(a, plan)),
      key: "k",
    }),
  ],
  [
    "without tensors",
    422,
    "shape_mismatch",
    () => ({ bytes: encodeSafeTensors({ tensors: new Map(), metadata: metadataOf(a, plan) }), key: "k" }),
  ],
];

describe("an update", () => {
  test.each(cases)("%s is refused as %i %s and changes nothing", async (_name, status, code, make) => {
    const made = make(a.update(plan));
    const response = made instanceof Promise ? made : a.send(made);
    expect(await refusal(response)).toEqual([status, code]);
    expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);

    expect(await modelAfterRound()).toBe(undisturbedModel);
  });

  test("is counted in the round's refusals, and the node's", async () => {
    await a.send(withValue(Number.NaN, 0));
    await modelAfterRound();
    const round = await (await request("/federated/rounds/1?task=tiny")).json();
    expect(round).toMatchObject({ rejected: { non_finite: 1 }, participants: [{}, {}] });
    const status = await (await request("/status")).json();
    expect(status).toMatchObject({
      nodes: { list: expect.arrayContaining([expect.objectContaining({ nodeId: a.nodeId, rejected: 1 })]) },
    });
  });

  test.each([
    ["at the norm bound", () => a.update(plan, Math.fround(2.88))],
    ["of zeros", () => a.update(plan, 0)],
    ["of negative zeros", () => a.update(plan, -0)],
    ["of denormals", () => a.update(plan, 1e-45)],
    ["whose loss is NaN", () => a.update(plan, 0.01, { loss: "NaN" })],
  ])("%s is accepted", async (_name, make) => {
    expect((await a.send(make())).status).toBe(202);
  });

  test("whose loss is NaN leaves a gap in the history", async () => {
    await a.send(a.update(plan, 0.01, { loss: "NaN" }));
    const round = await (await request("/federated/rounds/1?task=tiny")).json();
    expect(round).toMatchObject({ participants: [{ loss: null }] });
  });

  test("sent again gets the same receipt and counts once, also after a restart and when its round is closed", async () => {
    const update = a.update(plan);
    const receipt = await (await a.send(update)).json();
    expect(await (await a.send(update)).json()).toEqual(receipt);
    coordinator = await coordinator.restart();
    const again = await a.send(update);
    expect([again.status, await again.json()]).toEqual([202, receipt]);
    await b.work();
    await a.plan(20);
    expect(await (await a.send(update)).json()).toEqual(receipt);
    const round = await (await request("/federated/rounds/1?task=tiny")).json();
    expect(round).toMatchObject({ phase: "closed", participants: [{}, {}] });
  });

  test("with other bytes under the same key is refused as idempotency_key_reused", async () => {
    const update = a.update(plan);
    await a.send(update);
    expect(await refusal(a.send({ ...a.update(plan, 0.02), key: update.key }))).toEqual([
      422,
      "idempotency_key_reused",
    ]);
  });

  test("under a new key for the same round is refused as duplicate_update", async () => {
    await a.send(a.update(plan));
    expect(await refusal(a.send({ ...a.update(plan), key: "another" }))).toEqual([409, "duplicate_update"]);
  });

  test("sent twice at once is counted once", async () => {
    const update = a.update(plan);
    const answers = await Promise.all([1, 2, 3, 4].map(() => a.send(update)));
    expect(answers.map(({ status }) => status).filter((status) => status === 202)).toHaveLength(1);
    expect(answers.every(({ status }) => status === 202 || status === 409)).toBe(true);
    const round = await (await request("/federated/rounds/1?task=tiny")).json();
    expect(round).toMatchObject({ participants: [{}] });
  });

  test("after its round is closed is told the round that is open", async () => {
    const c = await ProtocolNode.join(request, "c");
    await modelAfterRound();
    const body = ErrorBody.parse(await (await c.send(c.update(plan))).json());
    expect(body).toMatchObject({ code: "stale_round", details: { currentRound: 2 } });
  });

  test("of a node that was not chosen is refused as not_selected", async () => {
    const c = await ProtocolNode.join(request, "c");
    expect(await refusal(c.send(c.update(plan)))).toEqual([403, "not_selected"]);
  });
});
