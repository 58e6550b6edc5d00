// Runs the benchmarks: `node dist/bench/bench.js [AREA…] [--json FILE] [--write] [--quick] [--hardware]`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../coordinator/package-root.ts";
import { aggregation } from "./areas/aggregation.ts";
import { api } from "./areas/api.ts";
import { firstStep } from "./areas/first-step.ts";
import { inference } from "./areas/inference.ts";
import { memory } from "./areas/memory.ts";
import { modelSync } from "./areas/model-sync.ts";
import { preprocessing } from "./areas/preprocessing.ts";
import { roofline } from "./areas/roofline.ts";
import { training } from "./areas/training.ts";
import type { Bench } from "./processes/bench.ts";
import { openBenchBrowser, servePage } from "./processes/bench-browser.ts";
import { describeMachine } from "./report/machine.ts";
import type { AreaResults } from "./report/result.ts";
import { isMet, ratio } from "./report/result.ts";
import { markdown, type Report, textLines } from "./report/table.ts";

const AREAS: ReadonlyMap<string, (bench: Bench) => Promise<AreaResults>> = new Map([
  ["training", training],
  ["inference", inference],
  ["roofline", roofline],
  ["first-step", firstStep],
  ["memory", memory],
  ["preprocessing", preprocessing],
  ["api", api],
  ["model-sync", modelSync],
  ["aggregation", aggregation],
]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    write: { type: "boolean", default: false },
    /** Cuts runs to see that an area works. */
    quick: { type: "boolean", default: false },
    /** WebGPU on the machine's graphics device instead of SwiftShader. */
    hardware: { type: "boolean", default: false },
  },
});
const { quick, hardware } = values;
const unknown = positionals.filter((name) => !AREAS.has(name));
if (unknown.length > 0) {
  throw new Error(`no area ${unknown.join(", ")}; there are ${[...AREAS.keys()].join(", ")}`);
}
if (values.write && (positionals.length > 0 || quick)) {
  throw new Error("--write needs the whole results of all areas");
}

const server = await servePage();
const openBrowser: Bench["openBrowser"] = () =>
  openBenchBrowser(server.resolvedUrls?.local[0] ?? "", hardware);
const browser = await openBrowser();
const adapter = await browser.adapter();
const machine = describeMachine({ chromium: browser.version, adapter });
const areas: AreaResults[] = [];
try {
  for (const [name, run] of AREAS) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const startMs = performance.now();
    process.stderr.write(`${name} …\n`);
    const results = await run({ browser, adapter, openBrowser, quick });
    areas.push(results);
    process.stderr.write(`${name}: ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);
    process.stdout.write(`${textLines(results).join("\n")}\n`);
  }
} finally {
  await browser.close();
  await server.close();
}

const command = ["npm run bench", ...(positionals.length > 0 ? ["--", ...positionals] : [])].join(" ");
const report: Report = { date: new Date().toISOString().slice(0, 10), command, machine, areas };
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(judged(report), null, 2)}\n`);
if (values.write) await writeFile(join(packageRoot(), "bench/RESULTS.md"), markdown(report));

/** The report with every line's ratio and judgement beside it. */
function judged({ areas: all, ...rest }: Report): object {
  return {
    ...rest,
    areas: all.map((area) => ({
      ...area,
      results: area.results.map((result) => ({ ...result, ratio: ratio(result), met: isMet(result) })),
    })),
  };
}
