import type * as z from "zod";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { type Heartbeat, HeartbeatReply, JoinReply, type JoinRequest } from "../../../protocol/nodes.ts";
import { ErrorBody } from "../../../protocol/replies.ts";
import { NoPlan, RoundPlan, UpdateReceipt } from "../../../protocol/rounds.ts";
import { TaskStatus } from "../../../protocol/tasks.ts";

const CALL_TIMEOUT_MS = 30_000;
const TRANSFER_TIMEOUT_MS = 300_000;
const PLAN_WAIT_SECS = 20;

/** The part of `fetch` a node needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The coordinator's answer to "what now": a plan, or a reason to wait. */
export type PlanAnswer = RoundPlan | ({ readonly kind: "none" } & NoPlan);

interface Call {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly timeoutMs?: number;
  readonly keepalive?: boolean;
}

/**
 * The coordinator's calls as a node makes them. Every method throws `AstroScaleError`: the coordinator's own
 * code with `details.status` when it refused, or `coordinator_unreachable` when no such answer came. When
 * `signal` aborts, the signal's reason is thrown instead.
 */
export class CoordinatorApi {
  readonly #origin: string;
  readonly #fetch: Fetch;

  /** @param origin such as `http://127.0.0.1:8081` */
  constructor(origin: string, fetch: Fetch) {
    this.#origin = origin.replace(/\/+$/, "");
    this.#fetch = fetch;
  }

  /** A node's id and token. */
  async join(request: JoinRequest, signal: AbortSignal): Promise<JoinReply> {
    const call = { method: "POST", path: "/federated/join", ...json(request) } as const;
    return this.#parse(JoinReply, await this.#call(call, signal), signal);
  }

  /** A task and where it stands. */
  async task(id: string, signal: AbortSignal): Promise<TaskStatus> {
    const call = { path: `/tasks/${encodeURIComponent(id)}` };
    return this.#parse(TaskStatus, await this.#call(call, signal), signal);
  }

  /** What to do now; the coordinator may take 20 s to answer that there is nothing yet. */
  async plan(token: string, signal: AbortSignal): Promise<PlanAnswer> {
    const call = {
      path: "/federated/plan",
      token,
      headers: { Prefer: `wait=${PLAN_WAIT_SECS}` },
      timeoutMs: CALL_TIMEOUT_MS + PLAN_WAIT_SECS * 1_000,
    };
    const response = await this.#call(call, signal);
    if (response.status === 202) return { kind: "none", ...(await this.#parse(NoPlan, response, signal)) };
    return this.#parse(RoundPlan, response, signal);
  }

  /** The global model after `round`, as a safetensors file. */
  async model(
    token: string,
    at: { readonly task: string; readonly round: number },
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const path = `/federated/model?task=${encodeURIComponent(at.task)}&round=${at.round}`;
    const response = await this.#call({ path, token, timeoutMs: TRANSFER_TIMEOUT_MS }, signal);
    return new Uint8Array(await this.#body(response.arrayBuffer(), signal));
  }

  /** Sends an update; sending the same bytes under the same key again is counted once. */
  async update(
    token: string,
    update: { readonly key: string; readonly bytes: Uint8Array<ArrayBuffer> },
    signal: AbortSignal,
  ): Promise<UpdateReceipt> {
    const call = {
      method: "POST",
      path: "/federated/update",
      token,
      headers: { "Content-Type": "application/vnd.safetensors", "Idempotency-Key": update.key },
      body: update.bytes,
      timeoutMs: TRANSFER_TIMEOUT_MS,
    } as const;
    return this.#parse(UpdateReceipt, await this.#call(call, signal), signal);
  }

  /** Says that the node lives and what it does; learns which round is open. */
  async heartbeat(token: string, heartbeat: Heartbeat, signal: AbortSignal): Promise<HeartbeatReply> {
    const call = { method: "POST", path: "/federated/heartbeat", token, ...json(heartbeat) } as const;
    return this.#parse(HeartbeatReply, await this.#call(call, signal), signal);
  }

  /** Leaves; the token is worth nothing afterwards. Survives the end of the worker that sent it. */
  async leave(token: string, signal: AbortSignal): Promise<void> {
    await this.#call({ method: "POST", path: "/federated/leave", token, keepalive: true }, signal);
  }

  async #call(call: Call, signal: AbortSignal): Promise<Response> {
    const { method = "GET", path, token, headers, body, timeoutMs = CALL_TIMEOUT_MS, keepalive } = call;
    let response: Response;
    try {
      response = await this.#fetch(this.#origin + path, {
        method,
        headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        ...(body === undefined ? {} : { body }),
        ...(keepalive ? { keepalive } : {}),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#unreachable(describe(cause), cause);
    }
    if (!response.ok) throw await this.#refusal(response);
    return response;
  }

  async #parse<T>(schema: z.ZodType<T>, response: Response, signal: AbortSignal): Promise<T> {
    const parsed = schema.safeParse(await this.#body(response.json(), signal));
    if (parsed.success) return parsed.data;
    throw this.#unreachable("it answered something else than this version expects", parsed.error);
  }

  async #body<T>(body: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await body;
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#unreachable(`its answer broke off: ${describe(cause)}`, cause);
    }
  }

  async #refusal(response: Response): Promise<AstroScaleError> {
    const { status } = response;
    const answer = ErrorBody.safeParse(await response.json().catch(() => null));
    if (!answer.success) {
      if (status === 401) return new AstroScaleError("unauthorized", "answered 401", { details: { status } });
      return this.#unreachable(`it answered ${status}`, undefined);
    }
    const { code, message, details } = answer.data;
    const retryAfterSecs = Number(response.headers.get("Retry-After") ?? Number.NaN);
    return new AstroScaleError(code, message, {
      details: { ...details, status, ...(Number.isFinite(retryAfterSecs) ? { retryAfterSecs } : {}) },
    });
  }

  #unreachable(why: string, cause: unknown): AstroScaleError {
    return new AstroScaleError("coordinator_unreachable", `cannot use ${this.#origin}: ${why}`, { cause });
  }
}

function json(body: unknown): { body: string; headers: Readonly<Record<string, string>> } {
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
