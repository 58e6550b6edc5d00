import type * as z from "zod";
import { Catalog } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import { CoordinatorStatus, ErrorBody } from "../../protocol/replies.ts";
import { RoundList } from "../../protocol/rounds.ts";
import { TaskList } from "../../protocol/tasks.ts";

/** `fetch`, or what a test puts in its place. */
export type Fetch = (path: string) => Promise<Response>;

/** `GET /status`: every task and node. @throws {AstroScaleError} as `read` does */
export function readStatus(fetch: Fetch): Promise<CoordinatorStatus> {
  return read(fetch, "/status", CoordinatorStatus);
}

/** `GET /tasks`: every task and where it stands. @throws {AstroScaleError} as `read` does */
export function readTasks(fetch: Fetch): Promise<z.infer<typeof TaskList>> {
  return read(fetch, "/tasks", TaskList);
}

/** `GET /federated/rounds`: every round of a task. @throws {AstroScaleError} as `read` does */
export function readRounds(fetch: Fetch, task: string): Promise<z.infer<typeof RoundList>> {
  return read(fetch, `/federated/rounds?task=${encodeURIComponent(task)}`, RoundList);
}

/** `GET /catalogs/:catalog`: columns, licence, acknowledgement. @throws {AstroScaleError} as `read` does */
export function readCatalog(fetch: Fetch, catalog: string): Promise<Catalog> {
  return read(fetch, `/catalogs/${encodeURIComponent(catalog)}`, Catalog);
}

/**
 * A parsed answer of the coordinator.
 *
 * @throws {AstroScaleError} `coordinator_unreachable` when nobody answers or what answers is not a coordinator;
 * otherwise the code the coordinator gave
 */
async function read<T>(fetch: Fetch, path: string, schema: { parse(data: unknown): T }): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch (cause) {
    throw new AstroScaleError("coordinator_unreachable", `no answer to ${path}`, { cause });
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const refusal = ErrorBody.safeParse(body);
    if (refusal.success) throw new AstroScaleError(refusal.data.code, refusal.data.message);
    throw new AstroScaleError("coordinator_unreachable", `${path} answered ${response.status}`);
  }
  try {
    return schema.parse(body);
  } catch (cause) {
    throw new AstroScaleError(
      "coordinator_unreachable",
      `${path} answered something else than was asked for`,
      {
        cause,
      },
    );
  }
}
