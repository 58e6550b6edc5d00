import { openStrategy } from "../../coordinator/aggregation/open-strategy.ts";
import type { ClientUpdate } from "../../coordinator/aggregation/strategy.ts";
import type { ModelSpec } from "../../protocol/model.ts";
import { initialise, parameterCount } from "../../protocol/model.ts";
import { decodeWeights, encodeWeights } from "../../protocol/weights.ts";
import type { AreaResults, Result } from "../report/result.ts";
import { median, spread } from "../report/spread.ts";

const UPDATES = 100;
const EXAMPLES = 100;
const RUNS = 9;
const WARM_UP_RUNS = 2;
/** 99,975 parameters. */
const MODEL: ModelSpec = {
  inputs: 68,
  hidden: [1384],
  outputs: 3,
  activation: "relu",
  head: "softmax-cross-entropy",
};

/** Federated averaging of a hundred updates, in memory and from their safetensors bytes. */
export async function aggregation(): Promise<AreaResults> {
  const parameters = initialise(MODEL, 1);
  const deltas = Array.from({ length: UPDATES }, (_, i) => initialise(MODEL, i + 2));
  const files = deltas.map((delta) => encodeWeights(MODEL, delta, {}));
  const strategy = openStrategy({ kind: "fedavg" });
  const timed = async (updates: () => AsyncIterable<ClientUpdate>): Promise<number[]> => {
    const times: number[] = [];
    for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
      const startMs = performance.now();
      await strategy.aggregate(parameters, updates());
      times.push(performance.now() - startMs);
    }
    return times.slice(WARM_UP_RUNS);
  };
  const inMemory = await timed(() => each(deltas, (delta) => delta));
  const fromBytes = await timed(() => each(files, (bytes) => decodeWeights(MODEL, bytes)));
  const shape = `${UPDATES} updates x ${parameterCount(MODEL).toLocaleString("en-US")} parameters`;
  return {
    title: "Aggregation",
    method:
      "FedAvg in float64 at the coordinator, in memory and with every update decoded from its file's bytes.",
    results: [result(`${shape}, in memory`, inMemory), result(`${shape}, from bytes`, fromBytes)],
  };
}

async function* each<Source>(
  sources: readonly Source[],
  deltaOf: (source: Source) => Float32Array<ArrayBuffer>,
): AsyncGenerator<ClientUpdate> {
  for (const source of sources) yield { delta: deltaOf(source), exampleCount: EXAMPLES };
}

function result(what: string, times: readonly number[]): Result {
  const gigabytes = (UPDATES * parameterCount(MODEL) * 4) / 1e9;
  const rate = gigabytes / (median(times) / 1000);
  const detail = `${spread(times)}; ${rate.toFixed(2)} GB/s`;
  return { what, measured: median(times), unit: "ms", detail, peer: null, target: null };
}
