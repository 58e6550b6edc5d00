import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { VolunteerOrder } from "../../../protocol/edge.ts";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { HeadlessNodeState, isFinal, type NodeRuntime, type RunningNode } from "../node-runtime.ts";
import { type EdgeProcess, edgeProgram, startEdgeProcess } from "./edge-process.ts";

/** How nodes run as processes. */
export interface ProcessOptions {
  /** What the nodes keep between processes; `null` for a directory of the pool's own, which goes with it. */
  readonly stateDirectory: string | null;
  /** The built edge program. */
  readonly program?: string;
}

/**
 * Nodes as processes of Node, without any browser. They share the shards they have downloaded; each keeps its session
 * under its name, so that one started again goes on as the same node.
 */
export function processRuntime({ stateDirectory, program }: ProcessOptions): NodeRuntime {
  const running = new Set<EdgeProcess>();
  let place: { readonly program: string; readonly directory: string } | null = null;
  return {
    async open() {
      place = { program: program ?? edgeProgram(), directory: await openDirectory(stateDirectory) };
    },
    async start(start) {
      if (place === null) throw new Error("unreachable: the runtime is not open");
      const order = { kind: "volunteer", ...start, stateDirectory: place.directory } as const;
      const { node, edge } = processNode(place.program, order);
      running.add(edge);
      void edge.exited.then(() => running.delete(edge));
      return node;
    },
    async close() {
      await Promise.all(Array.from(running, (edge) => edge.kill()));
      if (stateDirectory === null && place !== null) {
        await rm(place.directory, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

/** @throws {AstroScaleError} `invalid_request` when the wanted directory cannot be made */
async function openDirectory(wanted: string | null): Promise<string> {
  if (wanted === null) return mkdtemp(join(tmpdir(), "astroscale-nodes-"));
  const directory = resolve(wanted);
  try {
    await mkdir(directory, { recursive: true });
    return directory;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AstroScaleError("invalid_request", `cannot keep nodes in ${directory}: ${why}`, { cause });
  }
}

function processNode(program: string, order: VolunteerOrder): { node: RunningNode; edge: EdgeProcess } {
  let latest: HeadlessNodeState | null = null;
  let fault: Error | null = null;
  const edge = startEdgeProcess(program, (report) => {
    if (report.kind === "state") latest = HeadlessNodeState.parse(report.state);
    if (report.kind === "failed") fault ??= new AstroScaleError(report.code, report.message);
  });
  void edge.exited.then((reason) => {
    fault ??= new Error(reason);
  });
  edge.send(order);
  const node: RunningNode = {
    async state() {
      // What it said last stands, also when its process has ended since.
      if (latest !== null && isFinal(latest)) return latest;
      if (fault !== null) throw fault;
      return latest;
    },
    async stop() {
      edge.send({ kind: "stop" });
      await edge.exited;
    },
    close: () => edge.kill(),
  };
  return { node, edge };
}
