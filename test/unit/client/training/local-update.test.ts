import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../../../client/backend/backend.ts";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import { dropoutSeed } from "../../../../client/training/dropout-seed.ts";
import { epochOrder } from "../../../../client/training/epoch-order.ts";
import { fitStatistics } from "../../../../client/training/fit-statistics.ts";
import { type LocalUpdateOptions, localUpdate } from "../../../../client/training/local-update.ts";
import { preparedKey, prepareSet } from "../../../../client/training/prepared-set.ts";
import type { LabelledRows } from "../../../../client/training/training-rows.ts";
import { localTraining } from "../../../../protocol/local-training.ts";
import { initialise } from "../../../../protocol/model.ts";
import { randomStream } from "../../../../protocol/random.ts";
import { type FitPlan, type TrainPlan, UpdateMetadata } from "../../../../protocol/rounds.ts";
import { decodeSafeTensors } from "../../../../protocol/safetensors.ts";
import { decodeStatistics } from "../../../../protocol/statistics.ts";
import { decodeWeights } from "../../../../protocol/weights.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { relativeDistance } from "../../../oracle/close.ts";
import { localTrainer } from "../../../oracle/local-training.ts";
import { columnMoments, encodeFeatures, impute, standardise } from "../../../oracle/preprocessing.ts";

const ROWS = 57;
const NODE = "00000000000000ab";

const next = randomStream(20, 0);
const uniform = (): number => (next() / 2 ** 32) * 2 - 1;

/** Magnitudes near 18 in two bands, a tenth of the first missing. */
const DATA: LabelledRows = {
  rows: ROWS,
  columns: [
    Float32Array.from({ length: ROWS }, (_, r) => (r % 10 === 3 ? Number.NaN : 18 + uniform())),
    Float32Array.from({ length: ROWS }, () => 17 + uniform()),
  ],
  terms: [
    { plus: 0, minus: null },
    { plus: 1, minus: 0 },
  ],
  targets: { kind: "class", classes: Uint32Array.from({ length: ROWS }, () => next() % 3) },
};

const BASE = {
  task: "objects",
  round: 4,
  deadlineSecs: 60,
  shards: [{ catalog: "sky", id: "p7", rows: ROWS, bytes: 1, etag: "a".repeat(64) }],
  features: [
    { name: "g", plus: "g", minus: null },
    { name: "r-g", plus: "r", minus: "g" },
  ],
};

const PLAN: TrainPlan = {
  kind: "train",
  ...BASE,
  rounds: 9,
  baseModel: "b".repeat(64),
  model: { inputs: 2, hidden: [16], outputs: 3, activation: "relu", head: "softmax-cross-entropy" },
  label: { kind: "class", column: "class", classes: ["STAR", "GALAXY", "QSO"] },
  preprocessing: { fill: [18, -1], mean: [18, -1], invStd: [2, 1.5] },
  training: localTraining({
    localEpochs: 3,
    batchSize: 8,
    localLearningRate: 0.05,
    schedule: { kind: "cosine", finalFraction: 0.2 },
    optimizer: { kind: "momentum", momentum: 0.9 },
    dropout: 0.25,
    l2: 0.01,
  }),
  seed: 99,
};

const MODEL = initialise(PLAN.model, 5);

function optionsWith(change: Partial<LocalUpdateOptions> = {}): LocalUpdateOptions {
  let ms = 0;
  return {
    nodeId: NODE,
    backend: "wasm",
    base: MODEL,
    now: () => (ms += 500),
    onEpoch: () => {},
    beforeEpoch: async () => {},
    ...change,
  };
}

/** The same round in float64, from the columns to the delta. */
function oracleRound(): { delta: Float64Array; loss: number } {
  const { fill, mean, invStd } = PLAN.preprocessing;
  const x = standardise(impute(encodeFeatures(DATA.columns, DATA.terms), fill), mean, invStd);
  if (DATA.targets.kind !== "class") throw new Error("unreachable: the data have classes");
  const { localLearningRate, optimizer, batchSize, localEpochs, dropout, l2 } = PLAN.training;
  const network = { widths: [2, 16, 3], head: PLAN.model.head };
  const examples = { x, targets: DATA.targets.classes };
  const start = { parameters: MODEL, dropoutSeed: dropoutSeed(PLAN) };
  const trainer = localTrainer({ network, examples, batchSize, optimizer, dropout, l2 }, start);
  const steps = Math.ceil(ROWS / batchSize);
  let loss = 0;
  for (let epoch = 0; epoch < localEpochs; epoch++) {
    const rates = Array.from({ length: steps }, (_, step) => {
      // A cosine from 1 to 0.2 over the 9 rounds of the campaign, of which 3 are behind.
      const progress = (3 + (epoch * steps + step) / (localEpochs * steps)) / 9;
      return localLearningRate * (0.2 + 0.4 * (1 + Math.cos(Math.PI * progress)));
    });
    loss = trainer.epoch(epochOrder(PLAN, epoch, ROWS), rates);
  }
  return { delta: trainer.parameters.map((value, i) => value - (MODEL[i] ?? 0)), loss };
}

describe("local training on webassembly", () => {
  let backend: Backend;
  beforeAll(async () => {
    const bytes = await readFile(new URL("../../../../wasm/dist/kernels.wasm", import.meta.url));
    backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
  });
  afterAll(() => backend.dispose());

  test("moves the global model as a float64 round over the same columns does", async () => {
    const prepared = await prepareSet(backend, PLAN, DATA);
    const update = await localUpdate(prepared, PLAN, optionsWith());
    const expected = oracleRound();

    // 24 steps of float32 momentum on features of size 1; measured 3e-7, the orders of other epochs give 0.8.
    const delta = decodeWeights(PLAN.model, update.bytes);
    expect(relativeDistance(delta, expected.delta)).toBeLessThan(1e-5);
    const metadata = UpdateMetadata.parse(decodeSafeTensors(update.bytes).metadata);
    expect(metadata).toMatchObject({
      task: "objects",
      round: 4,
      node: NODE,
      exampleCount: ROWS,
      baseModel: PLAN.baseModel,
      backend: "wasm",
      // Half a second an epoch on the test's clock.
      examplesPerSecond: ROWS / 0.5,
    });
    expect(metadata.loss).toBeCloseTo(expected.loss, 5);
    prepared.dispose();
  });

  test("gives the same bytes from a prepared set used before as from a fresh one", async () => {
    const used = await prepareSet(backend, PLAN, DATA);
    const first = await localUpdate(used, PLAN, optionsWith());
    const again = await localUpdate(used, PLAN, optionsWith());
    expect(again.bytes).toEqual(first.bytes);
    used.dispose();
  });

  test("refuses to make an update of a model that is not finite", async () => {
    const prepared = await prepareSet(backend, PLAN, DATA);
    const base = MODEL.slice().fill(Number.NaN, 0, 3);
    await expect(localUpdate(prepared, PLAN, optionsWith({ base }))).rejects.toMatchObject({
      code: "diverged",
    });
    prepared.dispose();
  });

  test("reports every local epoch and ends where it is told not to go on", async () => {
    const prepared = await prepareSet(backend, PLAN, DATA);
    const done: number[] = [];
    const options = optionsWith({
      onEpoch: ({ localEpoch }) => done.push(localEpoch),
      beforeEpoch: async () => {
        if (done.length === 2) throw new Error("the round is over");
      },
    });
    await expect(localUpdate(prepared, PLAN, options)).rejects.toThrow("the round is over");
    expect(done).toEqual([1, 2]);
    prepared.dispose();
  });

  test("fits the statistics of every feature, missing values counted", async () => {
    const plan: FitPlan = { kind: "fit", ...BASE, round: 0 };
    const update = await fitStatistics(backend, plan, { data: DATA, nodeId: NODE });
    const found = decodeStatistics(update.bytes, 2);
    const x = encodeFeatures(DATA.columns, DATA.terms);
    for (const feature of [0, 1]) {
      const expected = columnMoments(x, 2, feature);
      expect(found[feature]).toMatchObject({ count: expected.count, missing: expected.missing });
      expect(found[feature]?.mean).toBeCloseTo(expected.mean, 5);
      expect(relativeDistance([found[feature]?.m2 ?? 0], [expected.m2])).toBeLessThan(1e-6);
    }
    const metadata = UpdateMetadata.parse(decodeSafeTensors(update.bytes).metadata);
    expect(metadata).toEqual({ task: "objects", round: 0, node: NODE, exampleCount: ROWS, backend: "wasm" });
  });
});

describe("the order of a local epoch", () => {
  test("visits every row once, and repeats for the same round, epoch and first shard", () => {
    const order = epochOrder(PLAN, 1, ROWS);
    expect(order.toSorted()).toEqual(Uint32Array.from({ length: ROWS }, (_, i) => i));
    expect(epochOrder(structuredClone(PLAN), 1, ROWS)).toEqual(order);
  });

  test.each([
    { what: "local epoch", plan: PLAN, epoch: 2 },
    { what: "round", plan: { ...PLAN, round: 5 }, epoch: 1 },
    { what: "seed", plan: { ...PLAN, seed: 100 }, epoch: 1 },
    {
      what: "first shard",
      plan: { ...PLAN, shards: PLAN.shards.map((shard) => ({ ...shard, id: "p8" })) },
      epoch: 1,
    },
  ])("is another in another $what", ({ plan, epoch }) => {
    expect(epochOrder(plan, epoch, ROWS)).not.toEqual(epochOrder(PLAN, 1, ROWS));
  });

  test("round and epoch never share an order: epoch 0 of round 5 is not epoch 1000 of round 4", () => {
    expect(epochOrder({ ...PLAN, round: 5 }, 0, ROWS)).not.toEqual(epochOrder(PLAN, 999, ROWS));
  });
});

describe("a prepared set", () => {
  test("serves every round with the same shards, preprocessing, model and training", () => {
    const later = { ...PLAN, round: 5, baseModel: "c".repeat(64), deadlineSecs: 3 };
    expect(preparedKey(later)).toBe(preparedKey(PLAN));
  });

  test("serves rounds that differ in what the trainer is told only when it starts", () => {
    const training = { ...PLAN.training, localLearningRate: 1, localEpochs: 9, updateClipNorm: 1 };
    expect(preparedKey({ ...PLAN, training })).toBe(preparedKey(PLAN));
  });

  test.each<[string, Partial<TrainPlan>]>([
    ["shards", { shards: PLAN.shards.map((shard) => ({ ...shard, etag: "c".repeat(64) })) }],
    ["preprocessing", { preprocessing: { ...PLAN.preprocessing, fill: [17, -1] } }],
    ["model", { model: { ...PLAN.model, hidden: [17] } }],
    ["training", { training: { ...PLAN.training, batchSize: 9 } }],
  ])("does not serve a round with other %s", (_what, change) => {
    expect(preparedKey({ ...PLAN, ...change })).not.toBe(preparedKey(PLAN));
  });
});
