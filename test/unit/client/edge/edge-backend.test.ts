import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../../../client/backend/backend.ts";
import { openEdgeBackend } from "../../../../client/edge/edge-backend.ts";
import { EdgeProgram } from "../../../../client/edge/edge-program.ts";
import { modelOutputs } from "../../../../client/edge/held-model.ts";
import type { EdgeReport, ModelOrder } from "../../../../protocol/edge.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import { initialise, type ModelSpec } from "../../../../protocol/model.ts";
import { randomStream } from "../../../../protocol/random.ts";

const ROWS = 1000;

let backend: Backend;

beforeAll(async () => {
  ({ backend } = await openEdgeBackend("wasm", { threads: 1 }));
});

afterAll(() => backend.dispose());

/** Values in ±1, one in ten missing. */
function column(seed: number): Float32Array<ArrayBuffer> {
  const next = randomStream(seed, 1);
  return Float32Array.from({ length: ROWS }, () => (next() % 10 === 0 ? Number.NaN : next() / 2 ** 31 - 1));
}

const columns = { u: column(1), g: column(2), r: column(3) };
const features = [
  { name: "r", plus: "r", minus: null },
  { name: "u-g", plus: "u", minus: "g" },
];
/** What the features are, in float64 but for the one rounding of a difference. */
const raw = Array.from({ length: ROWS }, (_, r) => [
  columns.r[r] ?? 0,
  Math.fround((columns.u[r] ?? 0) - (columns.g[r] ?? 0)),
]);
const preprocessing = { fill: [0.25, -0.5], mean: [0.125, 0.5], invStd: [2, 0.75] };

test("the whole preprocessing runs in Node: features, statistics, imputation, standardisation", async () => {
  const x = backend.encodeFeatures(
    [columns.r, columns.u, columns.g],
    [
      { plus: 0, minus: null },
      { plus: 1, minus: 2 },
    ],
  );
  const statistics = await backend.moments(x);
  backend.impute(x, Float32Array.from(preprocessing.fill));
  backend.standardise(x, Float32Array.from(preprocessing.mean), Float32Array.from(preprocessing.invStd));
  const z = await backend.read(x);
  x.dispose();

  [0, 1].forEach((f) => {
    const present = raw.map((row) => row[f] ?? 0).filter((value) => !Number.isNaN(value));
    const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
    const m2 = present.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    expect(statistics[f]).toMatchObject({ count: present.length, missing: ROWS - present.length });
    // The interface promises a relative error of M2 of 1e-6; the values are at most 2.
    expect(Math.abs((statistics[f]?.m2 ?? 0) / m2 - 1)).toBeLessThan(1e-6);
    expect(Math.abs((statistics[f]?.mean ?? 0) - mean)).toBeLessThan(2e-6);
  });
  const wanted = raw.flatMap((row) =>
    row.map((value, f) => {
      const filled = Number.isNaN(value) ? (preprocessing.fill[f] ?? 0) : value;
      return (filled - (preprocessing.mean[f] ?? 0)) * (preprocessing.invStd[f] ?? 0);
    }),
  );
  // Two roundings of values below 8.
  const far = wanted.findIndex((value, i) => !(Math.abs((z[i] ?? Number.NaN) - value) < 2 ** -20));
  expect(far).toBe(-1);
});

const MODEL: ModelSpec = {
  inputs: 2,
  hidden: [5],
  outputs: 2,
  activation: "tanh",
  head: "gaussian",
};
const held: ModelOrder = {
  kind: "model",
  backend: "wasm",
  model: MODEL,
  training: localTraining({
    localEpochs: 1,
    batchSize: 64,
    localLearningRate: 0.1,
    optimizer: { kind: "sgd" },
    dropout: 0.5,
  }),
  features,
  preprocessing,
  parameters: initialise(MODEL, 9),
};

/** The model's outputs in float64: `tanh(z W + b) V + c`. */
function oracle(row: readonly number[]): number[] {
  const p = [...held.parameters];
  const z = row.map((value, f) => {
    const filled = Number.isNaN(value) ? (preprocessing.fill[f] ?? 0) : value;
    return (filled - (preprocessing.mean[f] ?? 0)) * (preprocessing.invStd[f] ?? 0);
  });
  const h = [0, 1, 2, 3, 4].map((o) =>
    Math.tanh((z[0] ?? 0) * (p[o] ?? 0) + (z[1] ?? 0) * (p[5 + o] ?? 0) + (p[10 + o] ?? 0)),
  );
  return [0, 1].map((o) =>
    h.reduce((sum, value, i) => sum + value * (p[15 + 2 * i + o] ?? 0), p[25 + o] ?? 0),
  );
}

/** Float32 sums of some ten terms below 4, and a tanh of some ulps. */
const BOUND = 1e-5;

function farFromOracle(outputs: Float32Array): number {
  return raw.flatMap(oracle).findIndex((value, i) => !(Math.abs((outputs[i] ?? Number.NaN) - value) < BOUND));
}

test("a held model's outputs are those of its formula on raw columns, without dropout", async () => {
  const outputs = await modelOutputs(backend, held, { rows: ROWS, columns });
  expect(outputs).toHaveLength(2 * ROWS);
  expect(farFromOracle(outputs)).toBe(-1);
});

test("columns that are missing or too short are refused by name", async () => {
  const { u: _u, ...others } = columns;
  await expect(modelOutputs(backend, held, { rows: ROWS, columns: others })).rejects.toMatchObject({
    code: "column_missing",
    message: 'no column "u"',
  });
  const short = { ...columns, g: columns.g.slice(1) };
  await expect(modelOutputs(backend, held, { rows: ROWS, columns: short })).rejects.toMatchObject({
    code: "shape_mismatch",
  });
});

/** A program, and its answers in order. */
function startProgram(): { program: EdgeProgram; next: () => Promise<EdgeReport> } {
  const reports: EdgeReport[] = [];
  let wake: () => void = () => {};
  const program = new EdgeProgram((report) => {
    reports.push(report);
    wake();
  });
  const next = async (): Promise<EdgeReport> => {
    for (;;) {
      const report = reports.shift();
      if (report) return report;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { program, next };
}

test("an edge program answers orders in turn: a model, its outputs, a refusal, and then the next", async () => {
  const { program, next } = startProgram();
  program.take(held);
  program.take({ kind: "rows", rows: ROWS, columns });
  program.take({ kind: "rows", rows: ROWS, columns: {} });
  program.take({ kind: "rows", rows: ROWS, columns });
  expect(await next()).toMatchObject({ kind: "ready", backend: "wasm", notice: null });
  const first = await next();
  expect(first.kind === "outputs" && farFromOracle(first.outputs)).toBe(-1);
  expect(await next()).toMatchObject({ kind: "failed", code: "column_missing" });
  expect(await next()).toEqual(first);
  await program.stop();
  await program.ended;
});

test.each<[string, unknown]>([
  ["rows before a model", { kind: "rows", rows: 1, columns: {} }],
  ["an order that is none", { kind: "dance" }],
  ["columns of another type", { kind: "rows", rows: 1, columns: { u: [1] } }],
])("%s are refused as invalid_request", async (_what, order) => {
  const { program, next } = startProgram();
  program.take(order);
  expect(await next()).toMatchObject({ kind: "failed", code: "invalid_request" });
  await program.stop();
});
