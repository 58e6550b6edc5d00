import type { Backend } from "../../client/backend/backend.ts";
import { epochsOf, train, trainingWith, withTrainer } from "./backend-run.ts";
import { inOrder, problem } from "./samples.ts";

const given = problem({ widths: [7, 65, 34, 3], head: "softmax-cross-entropy", rows: 1300, seed: 5 });
const adamw = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;
/** Batches of several slices, the last of one, and batches that are one slice: fewer groups than threads. */
const BATCH_SIZES = [600, 40];

/** Everything that lanes compute together, to be compared to the bit: epochs, a gradient, outputs. */
export async function trainedBits(backend: Backend): Promise<Float32Array<ArrayBuffer>[]> {
  const order = inOrder(given.rows);
  const bits: Float32Array<ArrayBuffer>[] = [];
  for (const batchSize of BATCH_SIZES) {
    const training = trainingWith(adamw, batchSize, { gradientClipNorm: 0.5, dropout: 0.25, l2: 0.01 });
    const epochs = epochsOf(training, [order, order]);
    const terms = { proximalMu: 0.1, dropoutSeed: 7 };
    const { losses, parameters } = await train(backend, { given, training, epochs, terms });
    bits.push(Float32Array.from(losses), parameters);
    await withTrainer(backend, { ...given, parameters }, training, async (trainer) => {
      const { loss, gradient } = await trainer.gradient(order);
      bits.push(Float32Array.of(loss), gradient, await trainer.outputs());
    });
  }
  return bits;
}
