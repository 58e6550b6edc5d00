import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plainUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threadedUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
// oxlint-disable-next-line import/no-unassigned-import -- registers the backend
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
// oxlint-disable-next-line import/no-unassigned-import -- the core alone can differentiate nothing
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { parameterLayout } from "../../protocol/model.ts";
import type { BackendName } from "../../protocol/nodes.ts";
import type { Problem } from "./problem.ts";

setThreadsCount(navigator.hardwareConcurrency);
setWasmPaths({
  "tfjs-backend-wasm.wasm": plainUrl,
  "tfjs-backend-wasm-simd.wasm": simdUrl,
  "tfjs-backend-wasm-threaded-simd.wasm": threadedUrl,
});

/** Something that trains a problem's model. */
export interface EpochRunner {
  /** One pass over the rows, a step a batch. @returns mean of the batches' losses, each before its step */
  epoch(): Promise<number>;
  dispose(): void;
}

/**
 * The problem in TensorFlow.js as its users write it: batches uploaded once, fused dense layers,
 * `optimizer.minimize`, one readback an epoch.
 */
export async function tensorflowRunner(backend: BackendName, given: Problem): Promise<EpochRunner> {
  await tf.setBackend(backend);
  await tf.ready();
  const { model, training, parameters } = given;
  const layers = parameterLayout(model).map(({ inputs, outputs, weightAt, biasAt }) => ({
    weight: tf.variable(tf.tensor2d(parameters.slice(weightAt, biasAt), [inputs, outputs])),
    bias: tf.variable(tf.tensor1d(parameters.slice(biasAt, biasAt + outputs))),
  }));
  const batches = batchesOf(given);
  const optimizer = tf.train.sgd(training.localLearningRate);

  const logits = (x: tf.Tensor2D): tf.Tensor2D =>
    layers.reduce((a: tf.Tensor2D, { weight, bias }, l) => {
      const activation = l === layers.length - 1 ? "linear" : "relu";
      return tf.fused.matMul({ a, b: weight, bias, activation }) as tf.Tensor2D;
    }, x);

  return {
    async epoch() {
      await tf.setBackend(backend);
      const mean = tf.tidy(() => {
        const losses = batches.map(({ x, labels }) => {
          const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, logits(x)), true);
          if (loss === null) throw new Error("unreachable: minimize was asked for the loss");
          return loss;
        });
        return tf.mean(tf.stack(losses));
      });
      const [loss = Number.NaN] = await mean.data();
      mean.dispose();
      return loss;
    },
    dispose() {
      tf.dispose([
        batches.map(({ x, labels }) => [x, labels]),
        layers.map(({ weight, bias }) => [weight, bias]),
      ]);
      optimizer.dispose();
    },
  };
}

interface Batch {
  readonly x: tf.Tensor2D;
  /** One-hot. */
  readonly labels: tf.Tensor2D;
}

function batchesOf({ model, training, rows, x, classes }: Problem): Batch[] {
  const { inputs, outputs } = model;
  const { batchSize } = training;
  return Array.from({ length: rows / batchSize }, (_, b) => {
    const first = b * batchSize;
    const oneHot = new Float32Array(batchSize * outputs);
    for (let r = 0; r < batchSize; r++) oneHot[r * outputs + (classes[first + r] ?? 0)] = 1;
    return {
      x: tf.tensor2d(x.slice(first * inputs, (first + batchSize) * inputs), [batchSize, inputs]),
      labels: tf.tensor2d(oneHot, [batchSize, outputs]),
    };
  });
}
