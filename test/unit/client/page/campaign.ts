import type { Catalog } from "../../../../protocol/catalogs.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import type { NodeStatus } from "../../../../protocol/nodes.ts";
import type { CoordinatorStatus } from "../../../../protocol/replies.ts";
import type { Participant, RoundStatus } from "../../../../protocol/rounds.ts";
import type { TaskSpec, TaskStatus } from "../../../../protocol/tasks.ts";

/** A small classification campaign as the coordinator would tell of it; parts are replaced by the test. */
export function taskSpec(parts: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id: "sdss-class",
    title: "Star, galaxy or quasar",
    description: "From five filters.",
    catalog: "sdss",
    features: ["u", "g"].map((name) => ({ name, plus: name, minus: null })),
    label: { kind: "class", column: "class", classes: ["GALAXY", "QSO", "STAR"] },
    model: { inputs: 2, hidden: [4], outputs: 3, activation: "relu", head: "softmax-cross-entropy" },
    training: localTraining({
      localEpochs: 5,
      batchSize: 64,
      localLearningRate: 0.1,
      optimizer: { kind: "sgd" },
    }),
    strategy: { kind: "fedavg" },
    rules: {
      rounds: 60,
      minNodes: 2,
      maxNodes: 8,
      roundDeadlineSecs: 60,
      roundIntervalSecs: 0,
      maxUpdateNorm: 100,
    },
    seed: 1,
    baselineOf: null,
    ...parts,
  };
}

/** The task and where it stands. */
export function taskStatus(task: TaskSpec, parts: Partial<TaskStatus> = {}): TaskStatus {
  const score = { kind: "class", loss: 0.1, accuracy: 0.963, macroF1: 0.951 } as const;
  const central = { ...score, accuracy: 0.97, macroF1: 0.955 };
  return { task, state: "running", reason: null, round: 3, nodes: 2, score, central, ...parts };
}

/** A connected node that trains. */
export function nodeStatus(parts: Partial<NodeStatus> = {}): NodeStatus {
  return {
    nodeId: "00000000000000a1",
    name: "anna",
    task: "sdss-class",
    backend: "webgpu",
    device: "Apple M2",
    state: "training",
    examplesPerSecond: 1000,
    updates: 2,
    rejected: 0,
    probes: [],
    fault: null,
    ...parts,
  };
}

/** A closed training round of two nodes. */
export function roundStatus(round: number, parts: Partial<RoundStatus> = {}): RoundStatus {
  return {
    task: "sdss-class",
    round,
    kind: round === 0 ? "fit" : "train",
    phase: "closed",
    attempts: 0,
    cohort: 2,
    participants: [participant("anna"), participant("ben")],
    examples: 4000,
    loss: 1 / (round + 1),
    score: { kind: "class", loss: 1 / (round + 1), accuracy: 0.9 + round / 100, macroF1: 0.9 },
    seconds: round + 1,
    bytesUp: 100,
    bytesDown: 200,
    rejected: {},
    model: "a".repeat(64),
    withheld: null,
    ...parts,
  };
}

function participant(name: string): Participant {
  return {
    nodeId: "00000000000000a1",
    name,
    backend: "wasm",
    exampleCount: 2000,
    loss: 0.5,
    examplesPerSecond: 1000,
    digest: "b".repeat(64),
  };
}

/** `GET /status` with these tasks and nodes. */
export function coordinatorStatus(
  tasks: readonly TaskStatus[],
  nodes: readonly NodeStatus[],
): CoordinatorStatus {
  return {
    node_id: "coordinator",
    status: "running",
    uptime_secs: 1,
    memory_usage_mb: 1,
    version: "0.0.0",
    tasks: [...tasks],
    nodes: { connected: nodes.length, lost: 0, list: [...nodes] },
  };
}

/** The catalog of the campaign. */
export const CATALOG: Catalog = {
  id: "sdss",
  title: "SDSS sample",
  description: "",
  columns: [],
  rows: 8014,
  heldOutRows: 1986,
  shards: 16,
  origin: "SkyServer.",
  licence: "Public domain.",
  acknowledgement: "Funding for SDSS came from the Alfred P. Sloan Foundation.",
};
