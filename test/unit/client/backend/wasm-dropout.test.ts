import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import { parameterLayout } from "../../../../protocol/model.ts";
import { philox, STREAMS } from "../../../../protocol/random.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { trainingWith, withTrainer } from "../../../conformance/backend-run.ts";
import { inOrder, problem, startAt } from "../../../conformance/samples.ts";

const bytes = readFileSync(new URL("../../../../wasm/dist/kernels.wasm", import.meta.url));
const ROWS = 300; // three slices
const UNITS = 21;
const SEED = 0xfedcba98;

/** Whether each unit is kept for each row, `[ROWS, UNITS]`, by the words of protocol/random.ts. */
function keptBy(dropout: number, step: number): boolean[] {
  const threshold = Math.floor(dropout * 2 ** 32);
  return Array.from({ length: ROWS * UNITS }, (_, i) => {
    const unit = i % UNITS;
    const counter = [Math.floor(unit / 4), Math.floor(i / UNITS), step, 0] as const;
    return (philox(counter, [SEED, STREAMS.dropout])[unit % 4] ?? 0) >= threshold;
  });
}

test.each([
  { dropout: 0.5, step: 0 },
  { dropout: 0.3, step: 2 },
  { dropout: 0.95, step: 1 },
])("step $step of dropout $dropout drops what Philox says, in every slice", async ({ dropout, step }) => {
  // Row r is 1 in column r alone, and the loss falls by 1 / ROWS with the output, whatever it is. So a step at
  // rate 1 moves the weight from r to a unit by the unit's factor in row r over ROWS.
  const shape = { widths: [ROWS, UNITS, 1], head: "huber", activation: "identity", rows: ROWS } as const;
  const given = problem(shape);
  const [first, second] = parameterLayout(given.model);
  const parameters = new Float32Array(given.parameters.length)
    .fill(0)
    .fill(1, second?.weightAt, second?.biasAt);
  const x = new Float32Array(ROWS * ROWS);
  for (let r = 0; r < ROWS; r++) x[r * ROWS + r] = 1;
  const targets = { kind: "value", values: new Float32Array(ROWS).fill(100) } as const;
  const training = trainingWith({ kind: "sgd" }, ROWS, { dropout });
  const backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
  const found = await withTrainer(
    backend,
    { ...given, parameters, x, targets },
    training,
    async (trainer) => {
      trainer.load(startAt(parameters, { dropoutSeed: SEED }));
      const rates = new Float32Array(step + 1).fill(1, step);
      const epochs = Array.from({ length: step + 1 }, () => inOrder(ROWS));
      await trainer.epoch(Uint32Array.from(epochs.flatMap((rows) => [...rows])), rates);
      return (await trainer.parameters()).subarray(first?.weightAt, first?.biasAt);
    },
  );
  const kept = keptBy(dropout, step);
  expect(Array.from(found, (value) => value !== 0)).toEqual(kept);
  const factor = 1 / (1 - dropout) / ROWS;
  // Rounded as a scale, as 1 / ROWS and once in each of two products.
  expect(found.every((value, i) => !kept[i] || Math.abs(value / factor - 1) < 2 ** -22)).toBe(true);
});
