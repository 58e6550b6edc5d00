import * as z from "zod";
import { Slug } from "../../../protocol/catalogs.ts";
import { BackendName, NodeName } from "../../../protocol/nodes.ts";
import type { BackendChoice } from "../../node/state.ts";

/** What the address of the volunteer page asks for. */
export interface JoinParameters {
  /** `?join=auto`: join without a click, as headless nodes do. */
  readonly auto: boolean;
  readonly name: string | null;
  readonly backend: BackendChoice;
  /** Threads of the processor; `null` when the address leaves them open. */
  readonly threads: number | null;
  readonly task: string | null;
}

const Backend = z.enum([...BackendName.options, "auto"]);

/** `?join=auto&name=…&backend=auto|webgpu|wasm&threads=…&task=…`, read; what is not understood counts as absent. */
export function readJoinParameters(query: string): JoinParameters {
  const parameters = new URLSearchParams(query);
  return {
    auto: parameters.get("join") === "auto",
    name: NodeName.safeParse(parameters.get("name")).data ?? null,
    backend: Backend.safeParse(parameters.get("backend")).data ?? "auto",
    threads: readThreads(parameters.get("threads")),
    task: Slug.safeParse(parameters.get("task")).data ?? null,
  };
}

/** A number of threads from an address or from storage; `null` when it is none. */
export function readThreads(text: string | null): number | null {
  return /^[1-9]\d{0,3}$/.test(text ?? "") ? Number(text) : null;
}

/** Why a name cannot be taken, in words for its owner; `null` when it can. */
export function nameProblem(name: string): string | null {
  if (NodeName.safeParse(name).success) return null;
  const length = name.trim().length;
  if (length === 0) return "Choose a name: others see it on the dashboard.";
  if (length > 64) return `This name has ${length} characters; a name has at most 64.`;
  return "This name has invisible or direction-changing characters; leave them out.";
}

const FIRST = ["quiet", "bright", "distant", "patient", "amber", "northern", "wandering", "silver"] as const;
const SECOND = ["quasar", "dwarf", "nebula", "comet", "pulsar", "cluster", "meridian", "halo"] as const;

/** A name for those who have none in mind, such as `quiet-quasar-417`. @param random in [0, 1), as `Math.random` */
export function suggestName(random: () => number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "";
  return `${pick(FIRST)}-${pick(SECOND)}-${100 + Math.floor(random() * 900)}`;
}
