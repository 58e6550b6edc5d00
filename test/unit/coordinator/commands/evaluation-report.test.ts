import { expect, test } from "vitest";
import { readModelFile } from "../../../../coordinator/commands/evaluate/model-file.ts";
import { type EvaluationReport, evaluationLines } from "../../../../coordinator/commands/evaluate/report.ts";
import { initialise, type ModelSpec } from "../../../../protocol/model.ts";
import { encodeWeights } from "../../../../protocol/weights.ts";

const model: ModelSpec = {
  inputs: 1,
  hidden: [3],
  outputs: 2,
  activation: "gelu",
  head: "softmax-cross-entropy",
};
const parameters = initialise(model, 1);
const known = {
  model,
  features: [{ name: "g", plus: "g", minus: null }],
  label: { kind: "class", column: "class", classes: ["STAR", "QSO"] },
  preprocessing: { fill: [1], mean: [2], invStd: [3] },
};
const metadata: Record<string, string> = {
  format: "astroscale-model-1",
  task: "t",
  round: "7",
  ...Object.fromEntries(Object.entries(known).map(([name, value]) => [name, JSON.stringify(value)])),
};

test("a model file holds the model, its preprocessing and its parameters", () => {
  expect(readModelFile(encodeWeights(model, parameters, metadata))).toEqual({
    round: 7,
    ...known,
    parameters,
  });
});

test.each<[string, Record<string, string>, string]>([
  ["without a format", { format: "" }, 'not a global model: metadata "format"'],
  ["whose preprocessing is no JSON", { preprocessing: "{" }, 'metadata "preprocessing": wanted JSON'],
  ["of an unknown head", { model: JSON.stringify({ ...model, head: "odds" }) }, 'metadata "model.head"'],
])("a file %s is malformed_safetensors", (_what, change, message) => {
  const bytes = encodeWeights(model, parameters, { ...metadata, ...change });
  expect(() => readModelFile(bytes)).toThrow(
    expect.objectContaining({
      code: "malformed_safetensors",
      message: expect.stringContaining(message) as string,
    }) as Error,
  );
});

const report: EvaluationReport = {
  task: "t",
  round: 7,
  input: "stars.csv",
  rows: 8,
  backend: "wasm",
  device: "WebAssembly SIMD",
  notice: null,
  score: { kind: "class", loss: 0.25, accuracy: 0.625, macroF1: 0.5 },
  classes: [
    { name: "STAR", actual: 5, predicted: 8, hits: 5 },
    { name: "QSO", actual: 3, predicted: 0, hits: 0 },
  ],
};

test("a report of classes shows each one's rows, precision and recall", () => {
  expect(evaluationLines(report)).toEqual([
    "t, the model after round 7, on 8 rows of stars.csv (WebAssembly SIMD)",
    "",
    "score      value",
    "loss      0.2500",
    "accuracy  0.6250",
    "macro F1  0.5000",
    "",
    "class  rows  predicted  correct  precision  recall",
    "STAR      5          8        5     0.6250  1.0000",
    "QSO       3          0        0          -  0.0000",
  ]);
});

test("a report of values shows its errors in the label's unit", () => {
  const score = { kind: "value", loss: -0.5, rmse: 0.125, mae: 0.0625, r2: 0.75 } as const;
  expect(evaluationLines({ ...report, score, classes: [] }).slice(2)).toEqual([
    "score    value",
    "loss   -0.5000",
    "rmse    0.1250",
    "mae     0.0625",
    "r2      0.7500",
  ]);
});
