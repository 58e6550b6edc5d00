import type { Backend } from "../../client/backend/backend.ts";
import { localTraining } from "../../protocol/local-training.ts";
import { inOrder, problem, startAt } from "./samples.ts";

/** What a backend computed, to compare to the bit. */
export interface TrainedBits {
  readonly loss: number;
  readonly gradientLoss: number;
  readonly gradient: Float32Array<ArrayBuffer>;
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly outputs: Float32Array<ArrayBuffer>;
}

const given = problem({ widths: [7, 65, 34, 3], head: "softmax-cross-entropy", rows: 1300, seed: 5 });
/** Batches of five slices, of one, and a last one of 100 rows: more threads than groups, too. */
const BATCH_SIZES = [600, 40];

/** Everything that lanes compute together: epochs with every term of a step, a gradient, outputs. */
export async function trainedBits(backend: Backend): Promise<TrainedBits> {
  const x = backend.matrix(given.x, given.rows, given.model.inputs);
  let parameters = given.parameters;
  let loss = 0;
  for (const batchSize of BATCH_SIZES) {
    const training = localTraining({
      batchSize,
      optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
      gradientClipNorm: 0.5,
      dropout: 0.25,
    });
    const trainer = await backend.trainer({
      model: given.model,
      training,
      set: { x, targets: given.targets },
    });
    trainer.load(startAt(parameters, { proximalMu: 0.1, dropoutSeed: 7 }));
    const steps = Math.ceil(given.rows / batchSize);
    loss += await trainer.epoch(inOrder(given.rows), new Float32Array(steps).fill(0.01));
    parameters = await trainer.parameters();
    trainer.dispose();
  }
  const training = localTraining({ batchSize: 600 });
  const trainer = await backend.trainer({ model: given.model, training, set: { x, targets: given.targets } });
  trainer.load(startAt(parameters));
  const { loss: gradientLoss, gradient } = await trainer.gradient(inOrder(given.rows));
  const outputs = await trainer.outputs();
  trainer.dispose();
  x.dispose();
  return { loss, gradientLoss, gradient, parameters, outputs };
}
