import type * as z from "zod";
import { AstroScaleError } from "../../protocol/errors.ts";
import { CoordinatorStatus, ErrorBody } from "../../protocol/replies.ts";
import { RoundList } from "../../protocol/rounds.ts";
import { TaskList } from "../../protocol/tasks.ts";

/** A coordinator's public answers; every method throws `coordinator_unreachable` when none come. */
export interface CoordinatorApi {
  status(): Promise<CoordinatorStatus>;
  tasks(): Promise<z.infer<typeof TaskList>>;
  /** @throws {AstroScaleError} `not_found` */
  rounds(task: string): Promise<z.infer<typeof RoundList>>;
}

const ANSWER_LIMIT_MS = 10_000;

/** Talks to the coordinator at `origin`. */
export function coordinatorApi(origin: string, fetcher: typeof fetch = fetch): CoordinatorApi {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const { ok, status, body } = await fetchJson(fetcher, origin, path);
    if (!ok) throw refusal(origin, status, body);
    const answer = schema.safeParse(body);
    if (answer.success) return answer.data;
    const message = `what answers at ${origin} is no coordinator of this version`;
    throw new AstroScaleError("coordinator_unreachable", message, { cause: answer.error });
  };
  return {
    status: () => get("/status", CoordinatorStatus),
    tasks: () => get("/tasks", TaskList),
    rounds: (task) => get(`/federated/rounds?task=${encodeURIComponent(task)}`, RoundList),
  };
}

async function fetchJson(
  fetcher: typeof fetch,
  origin: string,
  path: string,
): Promise<{ ok: boolean; status: number; body: unknown }> {
  try {
    const response = await fetcher(`${origin}${path}`, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    const text = await response.text();
    return { ok: response.ok, status: response.status, body: parseJson(text) };
  } catch (cause) {
    throw new AstroScaleError("coordinator_unreachable", `no coordinator answers at ${origin}`, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page or another server's: the schema refuses it.
    return undefined;
  }
}

function refusal(origin: string, status: number, body: unknown): AstroScaleError {
  const refused = ErrorBody.safeParse(body);
  if (!refused.success) return new AstroScaleError("coordinator_unreachable", `${origin} answers ${status}`);
  return new AstroScaleError(refused.data.code, refused.data.message);
}
