import type * as z from "zod";
import { Catalog } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { CoordinatorStatus, ErrorBody } from "../../protocol/replies.ts";
import { RoundList } from "../../protocol/rounds.ts";
import { TaskList, TaskStatus } from "../../protocol/tasks.ts";

/** A coordinator's public answers; every method throws `coordinator_unreachable` when none come. */
export interface CoordinatorApi {
  status(): Promise<CoordinatorStatus>;
  tasks(): Promise<z.infer<typeof TaskList>>;
  /** @throws {AstroScaleError} `not_found` */
  task(id: string): Promise<TaskStatus>;
  /** @throws {AstroScaleError} `not_found` */
  catalog(id: string): Promise<Catalog>;
  /**
   * The global model's file after `round`, or the newest.
   *
   * @throws {AstroScaleError} `not_found`
   */
  model(task: string, round: number | null): Promise<Uint8Array>;
  /** @throws {AstroScaleError} `not_found` */
  rounds(task: string): Promise<z.infer<typeof RoundList>>;
}

const ANSWER_LIMIT_MS = 10_000;
const TRANSFER_LIMIT_MS = 300_000;

/** Talks to the coordinator at `origin`. */
export function coordinatorApi(origin: string, fetcher: typeof fetch = fetch): CoordinatorApi {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const bytes = await download(fetcher, { origin, path, limitMs: ANSWER_LIMIT_MS });
    const answer = schema.safeParse(parseJson(bytes));
    if (answer.success) return answer.data;
    const message = `what answers at ${origin} is no coordinator of this version`;
    throw new AstroScaleError("coordinator_unreachable", message, { cause: answer.error });
  };
  return {
    status: () => get("/status", CoordinatorStatus),
    tasks: () => get("/tasks", TaskList),
    task: (id) => get(`/tasks/${encodeURIComponent(id)}`, TaskStatus),
    catalog: (id) => get(`/catalogs/${encodeURIComponent(id)}`, Catalog),
    model(task, round) {
      const at = round === null ? "" : `&round=${round}`;
      const path = `/federated/model?task=${encodeURIComponent(task)}${at}`;
      return download(fetcher, { origin, path, limitMs: TRANSFER_LIMIT_MS });
    },
    rounds: (task) => get(`/federated/rounds?task=${encodeURIComponent(task)}`, RoundList),
  };
}

interface Download {
  readonly origin: string;
  readonly path: string;
  readonly limitMs: number;
}

async function download(fetcher: typeof fetch, { origin, path, limitMs }: Download): Promise<Uint8Array> {
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await fetcher(`${origin}${path}`, { signal: AbortSignal.timeout(limitMs) });
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new AstroScaleError("coordinator_unreachable", `no coordinator answers at ${origin}`, { cause });
  }
  if (!response.ok) throw refusal(origin, response.status, parseJson(bytes));
  return bytes;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
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
