import { textTable } from "../process/terminal.ts";
import type { DemoReport, DemoRound } from "./report.ts";

const COLUMNS = ["round", "nodes", "examples", "loss", "accuracy", "macro F1", "seconds", "kB up", "kB down"];

/** A line for a round that has just closed. */
export function roundLine(round: DemoRound, rounds: number): string {
  const { accuracy, macroF1, nodes, seconds } = round;
  const loss = round.loss === null ? "" : `loss ${round.loss.toFixed(4)}, `;
  return `round ${round.round} of ${rounds}: ${loss}accuracy ${accuracy.toFixed(4)}, macro F1 ${macroF1.toFixed(4)}, ${nodes} nodes, ${seconds.toFixed(1)} s`;
}

/** The tables at a demo's end: its rounds, the score beside the centralised one, its nodes. */
export function reportLines(report: DemoReport): string[] {
  const { final, central } = report;
  const scores = [
    ["federated", final.accuracy.toFixed(4), final.macroF1.toFixed(4)],
    ["centralised", central.accuracy.toFixed(4), central.macroF1.toFixed(4)],
    ["difference", signed(final.accuracy - central.accuracy), signed(final.macroF1 - central.macroF1)],
  ];
  const nodes = report.nodes.map(({ name, backend, examplesPerSecond }) => [
    name,
    backend ?? "-",
    examplesPerSecond?.toFixed(0) ?? "-",
  ]);
  return [
    ...textTable(COLUMNS, report.rounds.map(roundCells)),
    "",
    ...textTable([report.task, "accuracy", "macro F1"], scores),
    "",
    ...textTable(["node", "backend", "examples/s"], nodes),
  ];
}

function roundCells(round: DemoRound): string[] {
  return [
    String(round.round),
    String(round.nodes),
    String(round.examples),
    round.loss?.toFixed(4) ?? "-",
    round.accuracy.toFixed(4),
    round.macroF1.toFixed(4),
    round.seconds.toFixed(2),
    (round.bytesUp / 1000).toFixed(1),
    (round.bytesDown / 1000).toFixed(1),
  ];
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
}
