import { parameterCount } from "../../protocol/model.ts";
import { JoinReply } from "../../protocol/nodes.ts";
import { NoPlan, RoundPlan, type UpdateMetadata, UpdateReceipt } from "../../protocol/rounds.ts";
import { encodeStatistics } from "../../protocol/statistics.ts";
import { encodeWeights } from "../../protocol/weights.ts";

/** `fetch` by path: over a socket or straight into the app. */
export type Request = (path: string, init?: RequestInit) => Promise<Response>;

/** What a node sends, its values filled in by the test. */
export interface Upload {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly key: string;
}

/** A node that speaks the protocol and computes nothing: its deltas are a constant of its choosing. */
export class ProtocolNode {
  readonly #request: Request;
  readonly nodeId: string;
  readonly token: string;
  readonly task: string;

  private constructor(request: Request, reply: JoinReply) {
    this.#request = request;
    this.nodeId = reply.nodeId;
    this.token = reply.token;
    this.task = reply.task;
  }

  static async join(request: Request, name = "test node", task?: string): Promise<ProtocolNode> {
    const capabilities = { backend: "wasm", device: "none", threads: 1, version: "0" };
    const response = await request("/federated/join", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, capabilities, ...(task === undefined ? {} : { task }) }),
    });
    if (response.status !== 201)
      throw new Error(`join answered ${response.status}: ${await response.text()}`);
    return new ProtocolNode(request, JoinReply.parse(await response.json()));
  }

  /** Calls with this node's token. */
  call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("Authorization")) headers.set("Authorization", `Bearer ${this.token}`);
    return this.#request(path, { ...init, headers });
  }

  async plan(waitSecs = 0): Promise<RoundPlan | NoPlan> {
    const response = await this.call("/federated/plan", { headers: { Prefer: `wait=${waitSecs}` } });
    const body: unknown = await response.json();
    if (response.status === 200) return RoundPlan.parse(body);
    if (response.status === 202) return NoPlan.parse(body);
    throw new Error(`plan answered ${response.status}: ${JSON.stringify(body)}`);
  }

  /** A valid update for `plan`; `metadata` overrides what is told of it. */
  update(
    plan: RoundPlan,
    delta = 0.01,
    metadata: Partial<Record<keyof UpdateMetadata, string>> = {},
  ): Upload {
    const rows = plan.shards.reduce((sum, shard) => sum + shard.rows, 0);
    const told: Record<string, string> = {
      task: plan.task,
      round: String(plan.round),
      node: this.nodeId,
      exampleCount: String(rows),
      backend: "wasm",
      loss: "0.5",
      ...(plan.kind === "train" ? { baseModel: plan.baseModel } : {}),
      ...metadata,
    };
    const key = `${this.nodeId}-${plan.round}`;
    if (plan.kind === "train") {
      const parameters = new Float32Array(parameterCount(plan.model)).fill(delta);
      return { bytes: encodeWeights(plan.model, parameters, told), key };
    }
    const columns = plan.features.map((_, f) => ({
      count: rows,
      missing: 0,
      mean: f,
      m2: rows,
      min: f - 3,
      max: f + 3,
    }));
    return { bytes: encodeStatistics(columns, told), key };
  }

  send({ bytes, key }: Upload, headers: Record<string, string> = {}): Promise<Response> {
    return this.call("/federated/update", {
      method: "POST",
      headers: { "Content-Type": "application/vnd.safetensors", "Idempotency-Key": key, ...headers },
      body: bytes,
    });
  }

  /** Asks for a plan and sends a valid update for it. @throws when either is refused */
  async work(delta = 0.01): Promise<UpdateReceipt> {
    const plan = await this.plan();
    if (!("kind" in plan)) throw new Error(`no plan: ${plan.reason}`);
    const response = await this.send(this.update(plan, delta));
    const body: unknown = await response.json();
    if (response.status !== 202)
      throw new Error(`update answered ${response.status}: ${JSON.stringify(body)}`);
    return UpdateReceipt.parse(body);
  }
}
