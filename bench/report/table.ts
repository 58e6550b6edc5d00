import { textTable } from "../../coordinator/commands/process/terminal.ts";
import type { Machine } from "./machine.ts";
import { type AreaResults, type Cost, isMet, type Result, ratio } from "./result.ts";
import { figure } from "./spread.ts";

/** Everything one run of the benchmarks found. */
export interface Report {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly areas: readonly AreaResults[];
}

const COLUMNS = ["what", "measured", "peer", "ratio", "target", "met", "runs"];

function cells(result: Result): string[] {
  const { what, measured, unit, peer, target, detail, cost } = result;
  const times = ratio(result);
  const met = isMet(result);
  const targetUnit = target?.of === "ratio" ? "x the peer" : unit;
  return [
    what,
    `${figure(measured)} ${unit}`,
    peer === null ? "" : `${peer.name} ${figure(peer.measured)}`,
    times === null ? "" : `${figure(times)}x`,
    target === null ? "" : `${target.bound} ${target.value.toLocaleString("en-US")} ${targetUnit}`,
    met === null ? "" : met ? "yes" : "NO",
    [detail, ...(cost ? [costWords(cost, peer?.cost)] : [])].join("; "),
  ];
}

/** `"CPU 0.86 s for 1M rows, peer's 21.3"`; the wall's time says the same as the rate. */
function costWords({ of, cpuSeconds }: Cost, peer: Cost | undefined): string {
  const others = peer === undefined ? "" : `, peer's ${seconds(peer.cpuSeconds)}`;
  return `CPU ${seconds(cpuSeconds)} s for ${of}${others}`;
}

function seconds(value: number | null): string {
  return value === null ? "unknown" : figure(value);
}

/** A table for a terminal. */
export function textLines({ title, results }: AreaResults): string[] {
  return [title, ...textTable(COLUMNS, results.map(cells)).map((line) => `  ${line}`), ""];
}

/** `RESULTS.md`. */
export function markdown({ date, command, machine, areas }: Report): string {
  const facts = [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}`,
    `Node ${machine.node}, Chromium ${machine.chromium}, WebGPU adapter: ${machine.adapter}`,
    `load average before the start: ${machine.loadBefore.toFixed(2)}`,
    `taken ${date} by \`${command}\``,
  ];
  const lines = [
    "# Benchmark results",
    "",
    `Written by \`${command}\`; do not edit. Figures are medians and change with the machine; ratios travel.`,
    "",
    ...facts.map((fact) => `- ${fact}`),
  ];
  for (const { title, method, results } of areas) {
    lines.push(
      "",
      `## ${title}`,
      "",
      method,
      "",
      markdownRow(COLUMNS),
      markdownRow(COLUMNS.map(() => "---")),
    );
    lines.push(...results.map((result) => markdownRow(cells(result))));
  }
  return `${lines.join("\n")}\n`;
}

function markdownRow(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}
