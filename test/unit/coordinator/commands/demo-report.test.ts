import { expect, test } from "vitest";
import * as z from "zod";
import { reportLines, roundLine } from "../../../../coordinator/commands/demo/lines.ts";
import { type DemoReport, demoReport, demoRounds } from "../../../../coordinator/commands/demo/report.ts";
import type { NodeSummary } from "../../../../coordinator/headless/node-record.ts";
import type { RoundStatus } from "../../../../protocol/rounds.ts";
import type { Score } from "../../../../protocol/tasks.ts";

/** The contract with users, written a second time on purpose. */
const Report = z.strictObject({
  task: z.string(),
  rounds: z.array(
    z.strictObject({
      round: z.int().positive(),
      nodes: z.int().positive(),
      examples: z.int().positive(),
      loss: z.number().nullable(),
      accuracy: z.number().min(0).max(1),
      macroF1: z.number().min(0).max(1),
      seconds: z.number().nonnegative(),
      bytesUp: z.int().positive(),
      bytesDown: z.int().positive(),
    }),
  ),
  final: z.strictObject({ accuracy: z.number(), macroF1: z.number() }),
  central: z.strictObject({ accuracy: z.number(), macroF1: z.number() }),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      backend: z.enum(["webgpu", "wasm"]).nullable(),
      examplesPerSecond: z.number().nonnegative().nullable(),
    }),
  ),
});

function score(accuracy: number): Score {
  return { kind: "class", loss: 0.5, accuracy, macroF1: accuracy - 0.01 };
}

function round(number: number, accuracy: number | null): RoundStatus {
  const participant = { backend: "wasm", exampleCount: 400, loss: 0.5, examplesPerSecond: 9000 } as const;
  return {
    task: "stars",
    round: number,
    kind: number === 0 ? "fit" : "train",
    phase: accuracy === null && number > 0 ? "collecting" : "closed",
    attempts: 0,
    cohort: 3,
    participants: ["headless-1", "headless-2"].map((name) => ({
      ...participant,
      nodeId: "0123456789abcdef",
      name,
      digest: "0".repeat(64),
    })),
    examples: 800,
    loss: number === 0 ? null : 0.7,
    score: accuracy === null ? null : score(accuracy),
    seconds: 1.5,
    bytesUp: 2_000,
    bytesDown: 3_000,
    rejected: {},
    model: null,
    withheld: null,
  };
}

function node(name: string): NodeSummary {
  const work = { updatesAccepted: 2, examplesTrained: 800, examplesPerSecond: 9_000, restarts: 0 };
  return { name, backend: "wasm", device: "any", ...work, phase: "finished", error: null };
}

const ROUNDS = [round(0, null), round(1, 0.8), round(2, 0.9), round(3, null)];
const REST = { central: score(0.95), nodes: [node("headless-1"), node("headless-2")] };

test("the report has the shape that product.md promises, through JSON and back", () => {
  const text = JSON.stringify(demoReport("stars", ROUNDS, REST));
  expect(Report.parse(JSON.parse(text))).toEqual(JSON.parse(text));
});

test("its rounds are the training rounds that closed; the fit round and the open one are not among them", () => {
  const { rounds } = demoReport("stars", ROUNDS, REST);
  expect(rounds.map((each) => each.round)).toEqual([1, 2]);
  expect(rounds[0]).toEqual({
    round: 1,
    nodes: 2,
    examples: 800,
    loss: 0.7,
    accuracy: 0.8,
    macroF1: 0.79,
    seconds: 1.5,
    bytesUp: 2_000,
    bytesDown: 3_000,
  });
});

test("the final score is the last round's, the central one the baseline's", () => {
  const report = demoReport("stars", ROUNDS, REST);
  expect(report.final).toEqual({ accuracy: 0.9, macroF1: 0.89 });
  expect(report.central).toEqual({ accuracy: 0.95, macroF1: 0.94 });
});

test("a node's speed is the median of what it told over the training rounds", () => {
  const speeds = [100, 900, 300];
  const rounds = [round(0, 0.3), ...speeds.map((_, index) => round(index + 1, 0.8))].map((each) => ({
    ...each,
    participants: each.participants.map((participant) => ({
      ...participant,
      name: participant.name === "headless-1" ? "headless-1" : "someone else",
      examplesPerSecond: speeds[each.round - 1] ?? 1e9,
    })),
  }));
  const { nodes } = demoReport("stars", rounds, REST);
  expect(nodes.map(({ examplesPerSecond }) => examplesPerSecond)).toEqual([300, null]);
});

test("a round whose aggregate was withheld has the score of the model that stayed", () => {
  const withheld = { ...round(2, null), phase: "closed", withheld: "the mean is not finite" } as const;
  const { rounds, final } = demoReport("stars", [round(0, 0.3), round(1, 0.8), withheld], REST);
  expect(rounds.map(({ accuracy }) => accuracy)).toEqual([0.8, 0.8]);
  expect(final.accuracy).toBe(0.8);
});

test("a task without a training round, or a baseline without a score, is an error and not a zero", () => {
  expect(() => demoReport("stars", [round(0, null)], REST)).toThrow("task stars has no training round");
  expect(() => demoReport("stars", ROUNDS, { ...REST, central: null })).toThrow(
    "the baseline of task stars has no classification score",
  );
});

test("the lines for people hold the same numbers", () => {
  const lines = demoRounds(ROUNDS).map((each) => roundLine(each, 60));
  expect(lines[1]).toBe("round 2 of 60: loss 0.7000, accuracy 0.9000, macro F1 0.8900, 2 nodes, 1.5 s");
  const report: DemoReport = demoReport("stars", ROUNDS, REST);
  const text = reportLines(report).join("\n");
  expect(text).toMatch(/^ +1 +2 +800 +0\.7000 +0\.8000 +0\.7900 +1\.50 +2\.0 +3\.0$/m);
  expect(text).toMatch(/^federated +0\.9000 +0\.8900$/m);
  expect(text).toMatch(/^centralised +0\.9500 +0\.9400$/m);
  expect(text).toMatch(/^difference +-0\.0500 +-0\.0500$/m);
  expect(text).toMatch(/^headless-2 +wasm +9000$/m);
});
