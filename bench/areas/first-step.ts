import { defaultTasks } from "../../coordinator/default-tasks.ts";
import type { ShardWish } from "../page/shard-step.ts";
import type { FirstStep } from "../page.ts";
import type { Bench } from "../processes/bench.ts";
import { planFor, writeShard } from "../processes/shard-file.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { figure, median, spread } from "../report/spread.ts";

const CHOICES = ["wasm", "webgpu", "auto"] as const;
/** A shard of the bundled catalog has as many. */
const ROWS = 1_000;
const MISSING = 0.02;
const RUNS = 5;
const MOST_MS = 1_000;
const CALIBRATION_MS = 150;

/** From the start of a node's worker to the end of its first local epoch, each in a browser just opened. */
export async function firstStep({ openBrowser, quick }: Bench): Promise<AreaResults> {
  const [task] = defaultTasks({ rounds: 1, roundIntervalSecs: 0 });
  if (!task) throw new Error("unreachable: a new coordinator has a task");
  const shard = await writeShard(ROWS, ["u", "g", "r", "i", "z"], MISSING);
  const plan = planFor(shard, task);
  const results: Result[] = [];
  for (const choice of CHOICES) {
    const steps: FirstStep[] = [];
    for (let run = 0; run < (quick ? 1 : RUNS); run++) {
      steps.push(await inFreshBrowser(openBrowser, { choice, threads: 1, plan }));
    }
    results.push(stepLine(choice, steps));
    if (choice === "auto") results.push(...choiceLines(steps));
  }
  return { title: "First useful step", method: METHOD, results };
}

async function inFreshBrowser(openBrowser: Bench["openBrowser"], wish: ShardWish): Promise<FirstStep> {
  const browser = await openBrowser();
  try {
    return await browser.firstStep(wish);
  } finally {
    await browser.close();
  }
}

function stepLine(choice: ShardWish["choice"], steps: readonly FirstStep[]): Result {
  const times = steps.map(({ ms }) => ms);
  const backends = [...new Set(steps.map(({ backend }) => backend))].join(" or ");
  return {
    what: `worker's start to the end of the first local epoch, ${choice}`,
    measured: median(times),
    unit: "ms",
    detail: `${spread(times)}; computed by ${backends}`,
    peer: null,
    target: { of: "measured", bound: "below", value: MOST_MS },
  };
}

function choiceLines(steps: readonly FirstStep[]): Result[] {
  const choices = steps.map(({ choice }) => choice).filter((choice) => choice !== null);
  const times = choices.map(({ measuringMs }) => measuringMs).filter((ms) => ms !== null);
  if (times.length === 0) return [];
  const chosen = [...new Set(choices.map((choice) => choice.chosen))].join(" or ");
  const above = median(times) - CALIBRATION_MS;
  return [
    {
      what: "measuring both backends on the real model, auto",
      measured: median(times),
      unit: "ms",
      detail: `${spread(times)}; ${figure(above)} above the ${CALIBRATION_MS} it gives itself; took ${chosen}`,
      peer: null,
      target: null,
    },
  ];
}

const METHOD = `The bundled task on a shard of ${ROWS.toLocaleString("en-US")} rows, in a browser opened for the run: the worker's script, WebAssembly or the device,
pipelines, the shard's download (from this machine), Arrow, preprocessing and one local epoch, put together as a node
does it, but without the coordinator's answers and the waiting for a round. With \`auto\` WebAssembly begins, and
both are measured once WebGPU is ready, which is what its second line times.`;
