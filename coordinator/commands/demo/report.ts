import { AstroScaleError } from "../../../protocol/errors.ts";
import type { BackendName } from "../../../protocol/nodes.ts";
import type { RoundStatus } from "../../../protocol/rounds.ts";
import type { Score } from "../../../protocol/tasks.ts";
import type { NodeSummary } from "../../headless/node-record.ts";

/** One training round of a demo. */
export interface DemoRound {
  readonly round: number;
  /** Nodes whose update was counted. */
  readonly nodes: number;
  readonly examples: number;
  /** Example-weighted mean of the nodes' training losses. */
  readonly loss: number | null;
  /** Of the round's global model on the held-out rows. */
  readonly accuracy: number;
  readonly macroF1: number;
  readonly seconds: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What `astroscale demo --json FILE` writes. Part of the contract with users. */
export interface DemoReport {
  readonly task: string;
  /** Training rounds 1 to the last; round 0 only fits the preprocessing. */
  readonly rounds: readonly DemoRound[];
  readonly final: { readonly accuracy: number; readonly macroF1: number };
  /** The centralised run's last score on the same rows. */
  readonly central: { readonly accuracy: number; readonly macroF1: number };
  readonly nodes: readonly {
    readonly name: string;
    readonly backend: BackendName | null;
    /** Median over the training rounds of what the node told; `null` when it told nothing. */
    readonly examplesPerSecond: number | null;
  }[];
}

/**
 * The report of a finished demo.
 *
 * @param rounds of the task, round 0 included
 * @param central last score of its baseline task
 * @param nodes that trained the task, without the centralised one
 * @throws {AstroScaleError} `internal` when a training round has no classification score, or there is none
 */
export function demoReport(
  task: string,
  rounds: readonly RoundStatus[],
  { central, nodes }: { central: Score | null; nodes: readonly NodeSummary[] },
): DemoReport {
  const trained = demoRounds(rounds);
  const last = trained.at(-1);
  if (!last) throw new AstroScaleError("internal", `task ${task} has no training round`);
  return {
    task,
    rounds: trained,
    final: { accuracy: last.accuracy, macroF1: last.macroF1 },
    central: classScore(central, `the baseline of task ${task}`),
    nodes: nodes.map(({ name, backend }) => ({ name, backend, examplesPerSecond: speedOf(name, rounds) })),
  };
}

function speedOf(name: string, rounds: readonly RoundStatus[]): number | null {
  const participants = rounds.filter(({ kind }) => kind === "train").flatMap((round) => round.participants);
  const told = participants
    .flatMap((each) => (each.name === name ? (each.examplesPerSecond ?? []) : []))
    .toSorted((a, b) => a - b);
  // One local epoch of the bundled sample lasts milliseconds: any single value is mostly chance.
  return told[Math.floor(told.length / 2)] ?? null;
}

/**
 * The training rounds that have closed, as the report has them. A round whose aggregate was withheld left the
 * model as it was, so it has the score of the round before.
 *
 * @param rounds in order, from round 0 on
 * @throws {AstroScaleError} `internal` for a round without a class score
 */
export function demoRounds(rounds: readonly RoundStatus[]): DemoRound[] {
  let score: Score | null = null;
  const trained: DemoRound[] = [];
  for (const status of rounds.filter(({ phase }) => phase === "closed")) {
    score = status.withheld === null ? status.score : score;
    if (status.kind === "train") trained.push(demoRound(status, score));
  }
  return trained;
}

function demoRound(status: RoundStatus, score: Score | null): DemoRound {
  const { accuracy, macroF1 } = classScore(score, `round ${status.round} of task ${status.task}`);
  return {
    round: status.round,
    nodes: status.participants.length,
    examples: status.examples,
    loss: status.loss,
    accuracy,
    macroF1,
    seconds: status.seconds ?? 0,
    bytesUp: status.bytesUp,
    bytesDown: status.bytesDown,
  };
}

function classScore(score: Score | null, whose: string): { accuracy: number; macroF1: number } {
  if (score?.kind !== "class") throw new AstroScaleError("internal", `${whose} has no classification score`);
  return { accuracy: score.accuracy, macroF1: score.macroF1 };
}
