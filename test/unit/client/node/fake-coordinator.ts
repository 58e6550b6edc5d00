import type { Shard } from "../../../../protocol/catalogs.ts";
import type { ErrorCode } from "../../../../protocol/errors.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import { initialise, type ModelSpec } from "../../../../protocol/model.ts";
import { Heartbeat, JoinRequest } from "../../../../protocol/nodes.ts";
import { UpdateMetadata } from "../../../../protocol/rounds.ts";
import { decodeSafeTensors } from "../../../../protocol/safetensors.ts";
import type { TaskSpec } from "../../../../protocol/tasks.ts";
import { decodeWeights, encodeWeights } from "../../../../protocol/weights.ts";

/** A call as it reached the coordinator. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string | null;
  readonly key: string | null;
  readonly body: Uint8Array<ArrayBuffer> | string | null;
}

/** Answers a call in the coordinator's stead, breaks the network by throwing, or gives `null` to let it pass. */
export type Interception = (call: Call) => Response | null | Promise<Response | null>;

const MODEL: ModelSpec = {
  inputs: 1,
  hidden: [],
  outputs: 1,
  activation: "relu",
  head: "mean-squared-error",
};

const TASK: TaskSpec = {
  id: "distances",
  title: "Distances",
  description: "",
  catalog: "sky",
  features: [{ name: "mag", plus: "mag", minus: null }],
  label: { kind: "value", column: "distance", unit: "pc" },
  model: MODEL,
  training: localTraining({
    localEpochs: 3,
    batchSize: 2,
    localLearningRate: 0.1,
    optimizer: { kind: "sgd" },
  }),
  strategy: { kind: "fedavg" },
  rules: {
    rounds: 2,
    minNodes: 1,
    maxNodes: 1,
    roundDeadlineSecs: 60,
    roundIntervalSecs: 0,
    maxUpdateNorm: 100,
  },
  seed: 7,
  baselineOf: null,
};

const NO_SHARD: Shard = { catalog: "sky", id: "p0", rows: 4, bytes: 100, etag: "0".repeat(64) };

/** SHA-256, lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The error body every refusal has. */
export function refusal(status: number, code: ErrorCode): Response {
  return Response.json({ code, message: `refused as ${code}` }, { status });
}

/**
 * A coordinator of one node: round 0 fits, then `rounds` train; each accepted update closes its round. Speaks
 * through the schemas of protocol/ and holds what it was told.
 */
export class FakeCoordinator {
  readonly calls: Call[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly updates: UpdateMetadata[] = [];
  readonly deltas: Float32Array[] = [];
  round = 0;
  batchSize = TASK.training.batchSize;
  joined = 0;
  /** Tokens that are known. */
  readonly tokens = new Set<string>();
  intercept: Interception = () => null;
  #model = initialise(MODEL, TASK.seed);
  readonly #shard: Shard;
  readonly #rows: Uint8Array<ArrayBuffer>;

  /** @param rows the Arrow stream that `shard` names, with columns `mag` and `distance` */
  constructor(shard: Shard = NO_SHARD, rows = new Uint8Array()) {
    this.#shard = shard;
    this.#rows = rows;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted();
    const { pathname, search } = new URL(url);
    const headers = new Headers(init.headers);
    const call: Call = {
      method: init.method ?? "GET",
      path: pathname + search,
      token: headers.get("Authorization")?.replace("Bearer ", "") ?? null,
      key: headers.get("Idempotency-Key"),
      body: (init.body ?? null) as Call["body"],
    };
    this.calls.push(call);
    return (await this.intercept(call)) ?? this.#answer(call, pathname);
  };

  /** The calls of one path, without the query. */
  callsTo(path: string): Call[] {
    return this.calls.filter((call) => call.path.split("?")[0] === path);
  }

  #answer(call: Call, path: string): Response | Promise<Response> {
    if (path === "/federated/join") return this.#join(call);
    if (path === `/catalogs/${this.#shard.catalog}/shards/${this.#shard.id}`) return new Response(this.#rows);
    if (path === `/tasks/${TASK.id}`) return Response.json(this.#taskStatus());
    if (call.token === null || !this.tokens.has(call.token)) return refusal(401, "unauthorized");
    switch (path) {
      case "/federated/plan":
        return this.#plan();
      case "/federated/model":
        return new Response(this.#modelBytes());
      case "/federated/update":
        return this.#update(call.body as Uint8Array<ArrayBuffer>);
      case "/federated/heartbeat":
        this.heartbeats.push(Heartbeat.parse(JSON.parse(String(call.body))));
        return Response.json({ task: TASK.id, round: this.round });
      case "/federated/leave":
        this.tokens.delete(call.token);
        return new Response(null, { status: 204 });
      default:
        return refusal(404, "not_found");
    }
  }

  #join({ body }: Call): Response {
    JoinRequest.parse(JSON.parse(String(body)));
    this.joined += 1;
    const token = String(this.joined).padStart(32, "t");
    this.tokens.add(token);
    const nodeId = String(this.joined).padStart(16, "0");
    return Response.json({ nodeId, token, task: TASK.id, heartbeatSecs: 10 }, { status: 201 });
  }

  async #plan(): Promise<Response> {
    if (this.round > TASK.rules.rounds) {
      return Response.json({ retryAfterSecs: 0, reason: "the end", finished: true }, { status: 202 });
    }
    const { features, model, label, seed } = TASK;
    const training = { ...TASK.training, batchSize: this.batchSize };
    const base = { task: TASK.id, round: this.round, deadlineSecs: 60, shards: [this.#shard], features };
    if (this.round === 0) return Response.json({ kind: "fit", ...base });
    const preprocessing = { fill: [0], mean: [0], invStd: [1] };
    const baseModel = await sha256(this.#modelBytes());
    return Response.json({
      kind: "train",
      ...base,
      rounds: TASK.rules.rounds,
      baseModel,
      model,
      label,
      preprocessing,
      training,
      seed,
    });
  }

  #modelBytes(): Uint8Array<ArrayBuffer> {
    return encodeWeights(MODEL, this.#model, {});
  }

  #update(bytes: Uint8Array<ArrayBuffer>): Response {
    const metadata = UpdateMetadata.parse(decodeSafeTensors(bytes).metadata);
    if (metadata.round !== this.round) return refusal(409, "stale_round");
    this.updates.push(metadata);
    if (this.round > 0) {
      const delta = decodeWeights(MODEL, bytes);
      this.deltas.push(delta);
      this.#model = this.#model.map((value, i) => value + (delta[i] ?? 0));
    }
    this.round += 1;
    const { task, round, node } = metadata;
    return Response.json({ task, round, node, digest: "0".repeat(64) }, { status: 202 });
  }

  #taskStatus(): object {
    return {
      task: TASK,
      state: "running",
      reason: null,
      round: this.round,
      nodes: 1,
      score: null,
      central: null,
    };
  }
}
