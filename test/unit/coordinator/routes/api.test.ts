import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CatalogList, ShardList } from "../../../../protocol/catalogs.ts";
import { CoordinatorStatus, ErrorBody, Health } from "../../../../protocol/replies.ts";
import { TaskList } from "../../../../protocol/tasks.ts";
import { ProtocolNode, type Request } from "../../../support/protocol-node.ts";
import { openTestCoordinator, type TestCoordinator, TINY_TASK } from "../../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
const request: Request = async (path, init) => coordinator.app.request(path, init);
const capabilities = { backend: "wasm", device: "none", threads: 1, version: "0" };

beforeAll(async () => {
  coordinator = await openTestCoordinator();
});
afterAll(() => coordinator.dispose());

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return request(path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body });
}

async function refusal(response: Promise<Response>): Promise<[number, string]> {
  const answer = await response;
  return [answer.status, ErrorBody.parse(await answer.json()).code];
}

const joinWith = (name: unknown): string => JSON.stringify({ name, capabilities });

describe("the API", () => {
  test("answers what its schemas say", async () => {
    expect(Health.parse(await (await request("/health")).json())).toEqual({ status: "healthy" });
    CoordinatorStatus.parse(await (await request("/status")).json());
    TaskList.parse(await (await request("/tasks")).json());
    const { catalogs } = CatalogList.parse(await (await request("/catalogs")).json());
    expect(catalogs.map(({ id }) => id)).toContain("sdss-dr14");
    const { shards } = ShardList.parse(await (await request("/catalogs/sdss-dr14/shards")).json());
    expect(shards.reduce((sum, { rows }) => sum + rows, 0)).toBe(7999);
  });

  test("serves a shard as an immutable Arrow stream, and 304 to who has it", async () => {
    const { shards } = ShardList.parse(await (await request("/catalogs/sdss-dr14/shards")).json());
    const path = `/catalogs/sdss-dr14/shards/${shards[0]?.id}`;
    const response = await request(path);
    expect(response.headers.get("Content-Type")).toBe("application/vnd.apache.arrow.stream");
    expect(response.headers.get("Cache-Control")).toContain("immutable");
    const etag = response.headers.get("ETag") ?? "";
    expect(etag).toBe(`"${shards[0]?.etag}"`);
    expect((await response.arrayBuffer()).byteLength).toBe(shards[0]?.bytes);
    expect((await request(path, { headers: { "If-None-Match": etag } })).status).toBe(304);
  });

  test("shows metrics under the contract's names", async () => {
    await request("/health");
    const text = await (await request("/metrics")).text();
    for (const name of [
      "astroscale_memory_usage_bytes",
      "astroscale_cpu_usage_percent",
      "astroscale_error_rate",
      "astroscale_http_request_duration_seconds_bucket",
      "astroscale_round_duration_seconds",
      "astroscale_updates_total",
      "astroscale_nodes",
      "astroscale_model_score",
    ]) {
      expect(text).toContain(name);
    }
    expect(text).toMatch(/route="\/health"/);
  });

  test.each([
    ["not JSON", "{name:", 400, "invalid_request"],
    ["empty", "", 400, "invalid_request"],
    ["an array", "[]", 400, "invalid_request"],
    ["nested 30,000 deep", "[".repeat(30_000), 400, "invalid_request"],
    ["of a wrong type", joinWith(5), 400, "invalid_request"],
    ["with an unknown field", `{"admin":true,${joinWith("x").slice(1)}`, 400, "invalid_request"],
    ["with a prototype", `{"__proto__":{"admin":true},${joinWith("x").slice(1)}`, 400, "invalid_request"],
    ["with an empty name", joinWith("  "), 400, "invalid_request"],
    ["with a name of 65 characters", joinWith("x".repeat(65)), 400, "invalid_request"],
    ["with a bidirectional override", joinWith("a\u202eb"), 400, "invalid_request"],
    ["with NUL", joinWith("a\0b"), 400, "invalid_request"],
    ["with a line break", joinWith("a\nb"), 400, "invalid_request"],
    ["with an ANSI escape", joinWith("a\u001b[31m"), 400, "invalid_request"],
    [
      "with 1e400 threads",
      `{"name":"x","capabilities":{"backend":"wasm","device":"","threads":1e400,"version":""}}`,
      400,
      "invalid_request",
    ],
    ["for an unknown task", JSON.stringify({ name: "x", capabilities, task: "nothing" }), 404, "not_found"],
    ["of 65 KiB", joinWith("x".repeat(65 * 1024)), 413, "too_large"],
  ])("refuses a join that is %s", async (_name, body, status, code) => {
    expect(await refusal(post("/federated/join", body))).toEqual([status, code]);
    expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);
  });

  test("takes a join whose name looks like markup, as text", async () => {
    const name = "<img src=x onerror=alert(1)>";
    const node = await ProtocolNode.join(request, name);
    const { nodes } = CoordinatorStatus.parse(await (await request("/status")).json());
    expect(nodes.list.find(({ nodeId }) => nodeId === node.nodeId)?.name).toBe(name);
  });

  test.each([
    ["GET", "/nothing", 404, "not_found"],
    ["GET", "/tasks/nothing", 404, "not_found"],
    ["GET", "/catalogs/nothing", 404, "not_found"],
    ["GET", "/catalogs/nothing/shards", 404, "not_found"],
    ["GET", "/catalogs/sdss-dr14/shards/nothing", 404, "not_found"],
    ["GET", "/catalogs/sdss-dr14/shards/..%2f..%2fetc%2fpasswd", 404, "not_found"],
    ["GET", "/federated/model?task=tiny", 404, "not_found"],
    ["GET", "/federated/model?task=tiny&round=99", 404, "not_found"],
    ["GET", "/federated/model?task=tiny&round=-1", 400, "invalid_request"],
    ["GET", "/federated/model?task=tiny&format=pickle", 400, "invalid_request"],
    ["GET", "/federated/model?tsak=tiny", 400, "invalid_request"],
    ["GET", "/federated/rounds/9?task=tiny", 404, "not_found"],
    ["GET", "/federated/rounds/x?task=tiny", 400, "invalid_request"],
    ["GET", "/federated/rounds?task=Not%20A%20Task", 400, "invalid_request"],
    ["GET", "/federated/plan", 401, "unauthorized"],
    ["POST", "/federated/heartbeat", 401, "unauthorized"],
    ["POST", "/federated/leave", 401, "unauthorized"],
    ["POST", "/federated/update", 401, "unauthorized"],
    ["DELETE", "/tasks", 405, "method_not_allowed"],
    ["PUT", "/federated/update", 405, "method_not_allowed"],
    ["POST", "/federated/rounds", 405, "method_not_allowed"],
  ])("answers %s %s with %i %s", async (method, path, status, code) => {
    expect(await refusal(request(path, { method }))).toEqual([status, code]);
  });

  test("adds a task for the administrator alone", async () => {
    const body = JSON.stringify({ ...TINY_TASK, id: "second" });
    expect(await refusal(post("/tasks", body))).toEqual([401, "unauthorized"]);
    expect(
      await refusal(post("/tasks", body, { Authorization: "Bearer not-the-admin-token-at-all" })),
    ).toEqual([401, "unauthorized"]);
    const node = await ProtocolNode.join(request);
    expect(await refusal(post("/tasks", body, { Authorization: `Bearer ${node.token}` }))).toEqual([
      401,
      "unauthorized",
    ]);
    const admin = { Authorization: `Bearer ${coordinator.adminToken}` };
    expect((await post("/tasks", body, admin)).status).toBe(201);
    expect(await refusal(post("/tasks", body, admin))).toEqual([409, "task_exists"]);
    const wrong = { ...TINY_TASK, id: "third" };
    for (const [change, expected] of [
      [
        { features: [{ name: "x", plus: "nothing", minus: null }], model: { ...TINY_TASK.model, inputs: 1 } },
        [422, "column_missing"],
      ],
      [{ catalog: "nothing" }, [404, "not_found"]],
      [{ baselineOf: "nothing" }, [404, "not_found"]],
      [{ model: { ...TINY_TASK.model, inputs: 4 } }, [400, "invalid_request"]],
      [{ rules: { ...TINY_TASK.rules, minNodes: 5 } }, [400, "invalid_request"]],
    ] as const) {
      expect(await refusal(post("/tasks", JSON.stringify({ ...wrong, ...change }), admin))).toEqual(expected);
    }
    expect((await request("/tasks/third")).status).toBe(404);
  });

  test("adds one task when two are posted under one id at once", async () => {
    const admin = { Authorization: `Bearer ${coordinator.adminToken}` };
    const body = JSON.stringify({ ...TINY_TASK, id: "contested" });
    const answers = await Promise.all([1, 2, 3].map(() => post("/tasks", body, admin)));
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([201, 409, 409]);
    const { tasks } = TaskList.parse(await (await request("/tasks")).json());
    expect(tasks.filter(({ task }) => task.id === "contested")).toHaveLength(1);
  });

  test("isolates its pages and trusts nobody else's", async () => {
    const response = await request("/status", { headers: { Origin: "https://other.example" } });
    expect(response.headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
    expect(response.headers.get("Cross-Origin-Embedder-Policy")).toBe("require-corp");
    expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    const allowed = await request("/status", { headers: { Origin: "https://allowed.example" } });
    expect(allowed.headers.get("Access-Control-Allow-Origin")).toBe("https://allowed.example");
  });

  test("stores of a node's token only a hash", async () => {
    const node = await ProtocolNode.join(request);
    const secret = node.token.split(".")[1] ?? "";
    expect(secret).toHaveLength(43);
    const record = await coordinator.store.get(`nodes/${node.nodeId}`);
    expect(JSON.stringify(record)).not.toContain(secret);
  });
});
