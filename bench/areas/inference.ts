import type { Side } from "../page/sides.ts";
import type { Bench } from "../processes/bench.ts";
import { measureTurns, rowRate, rowRates, type SideTimes } from "../processes/contest.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { spread } from "../report/spread.ts";
import { sideName } from "./training-targets.ts";

const SHAPE = { widths: [16, 64, 64, 3], batchSize: 1024, rows: 1024, optimizer: "sgd" } as const;
const MOST_DIFFERENCE = 1e-4;
const TURNS = 9;
const LEAST_TURN_MS = 100;
const PEERS = ["tensorflow", "jax", "onnxruntime"] as const;

/** Outputs of a model for a batch, read back. @throws when two sides' outputs differ */
export async function inference({ browser, quick }: Bench): Promise<AreaResults> {
  const results: Result[] = [];
  for (const backend of ["wasm", "webgpu"] as const) {
    const threads = backend === "wasm" ? [1, 2] : [1];
    const ours = threads.map((count): Side => ({ program: "ours", backend, threads: count }));
    const peers = PEERS.map((program): Side => ({ program, backend, threads: 0 }));
    const sides = [...ours, ...peers];
    await browser.restart();
    const differences = await browser.ask("openInference", { shape: SHAPE, sides });
    if (!differences.every((difference) => difference <= MOST_DIFFERENCE)) {
      const found = sides.map((side, s) => `${sideName(side)} ${differences[s]}`).join(", ");
      throw new Error(`outputs differ from the first side's by ${found}`);
    }
    const pace = { sides: sides.length, turns: quick ? 1 : TURNS, leastMs: quick ? 0 : LEAST_TURN_MS };
    const times = await measureTurns(browser, pace);
    results.push(...lines(sides, times));
  }
  return { title: "Inference", method: METHOD, results };
}

function lines(sides: readonly Side[], times: readonly SideTimes[]): Result[] {
  const all = sides.flatMap((side, s) => {
    const time = times[s];
    return time === undefined ? [] : [{ side, time }];
  });
  const ours = all.filter(({ side }) => side.program === "ours");
  const peers = all.filter(({ side }) => side.program !== "ours");
  return ours.flatMap(({ side, time }) =>
    peers.map((peer): Result => {
      const runs = `${spread(rowRates(time, SHAPE.rows))}; peer ${spread(rowRates(peer.time, SHAPE.rows))}`;
      return {
        what: `outputs of ${SHAPE.widths.join("-")}, 1,024 rows: ${sideName(side)}`,
        ...rowRate(time, SHAPE.rows),
        unit: "rows/s",
        detail: runs,
        peer: { name: sideName(peer.side), ...rowRate(peer.time, SHAPE.rows) },
        target: null,
      };
    }),
  );
}

const METHOD = `Outputs (logits) of 1,024 rows, read back to JavaScript at every call: \`Trainer.outputs\`, TensorFlow.js's fused
layers, jax-js's \`jit\`, onnxruntime-web 1.30 with an ONNX file of Gemm and Relu. Same parameters and rows, outputs
equal to ${MOST_DIFFERENCE}; sides take turns of ${LEAST_TURN_MS} ms in one worker. Parameters and rows stay on the device, but
for onnxruntime-web, which is handed the rows at every call as its users do. Peers are offered a thread a core.`;
