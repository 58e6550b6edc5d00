import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plainUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threadedUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
// oxlint-disable-next-line import/no-unassigned-import -- registers the backend
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
// oxlint-disable-next-line import/no-unassigned-import -- the core alone can differentiate nothing
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import type { LocalTraining } from "../../../protocol/local-training.ts";
import { type ModelSpec, parameterLayout } from "../../../protocol/model.ts";
import type { BackendName } from "../../../protocol/nodes.ts";
import type { Contestant } from "../contest.ts";
import { batchesOf, type Problem } from "../problem.ts";

interface Layer {
  readonly weight: tf.Variable<tf.Rank.R2>;
  readonly bias: tf.Variable<tf.Rank.R1>;
}

/** TensorFlow.js with one of its backends chosen. @param threads how many its WebAssembly may use */
export async function openTensorflow(backend: BackendName, threads: number): Promise<typeof tf> {
  setThreadsCount(threads);
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plainUrl,
    "tfjs-backend-wasm-simd.wasm": simdUrl,
    "tfjs-backend-wasm-threaded-simd.wasm": threadedUrl,
  });
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  await tf.ready();
  return tf;
}

/** Threads that its WebAssembly says it uses, once it has been opened; -1 where it has no threads. */
export function tensorflowThreads(): number {
  return getThreadsCount();
}

function layersOf(model: ModelSpec, parameters: Float32Array): Layer[] {
  return parameterLayout(model).map(({ inputs, outputs, weightAt, biasAt }) => ({
    weight: tf.variable(tf.tensor2d(parameters.slice(weightAt, biasAt), [inputs, outputs])),
    bias: tf.variable(tf.tensor1d(parameters.slice(biasAt, biasAt + outputs))),
  }));
}

function logits(layers: readonly Layer[], x: tf.Tensor2D): tf.Tensor2D {
  return layers.reduce((a: tf.Tensor2D, { weight, bias }, l) => {
    const activation = l === layers.length - 1 ? "linear" : "relu";
    return tf.fused.matMul({ a, b: weight, bias, activation }) as tf.Tensor2D;
  }, x);
}

function optimizerOf({ localLearningRate, optimizer }: LocalTraining): tf.Optimizer {
  if (optimizer.kind === "sgd") return tf.train.sgd(localLearningRate);
  if (optimizer.kind !== "adam") throw new Error(`${optimizer.kind} is not compared`);
  return tf.train.adam(localLearningRate, optimizer.beta1, optimizer.beta2, optimizer.epsilon);
}

/**
 * Training as users of TensorFlow.js write it: batches uploaded once, fused dense layers,
 * `optimizer.minimize`, one readback an epoch. An epoch gives the mean of its batches' losses.
 */
export async function tensorflowTraining(backend: BackendName, given: Problem): Promise<Contestant> {
  await openTensorflow(backend, navigator.hardwareConcurrency);
  const { model, training, parameters } = given;
  const layers = layersOf(model, parameters);
  const batches = batchesOf(given).map(({ x, labels }) => ({
    x: tf.tensor2d(x, [training.batchSize, model.inputs]),
    labels: tf.tensor2d(labels, [training.batchSize, model.outputs]),
  }));
  const optimizer = optimizerOf(training);
  return {
    async once() {
      const mean = tf.tidy(() => {
        const losses = batches.map(({ x, labels }) => {
          const loss = optimizer.minimize(
            () => tf.losses.softmaxCrossEntropy(labels, logits(layers, x)),
            true,
          );
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

/** Outputs of all rows, read back; rows and parameters stay on the device. @param keep gets every result */
export async function tensorflowInference(
  backend: BackendName,
  { model, rows, x, parameters }: Problem,
  keep: (outputs: Float32Array) => void,
): Promise<Contestant> {
  await openTensorflow(backend, navigator.hardwareConcurrency);
  const layers = layersOf(model, parameters);
  const input = tf.tensor2d(x, [rows, model.inputs]);
  return {
    async once() {
      const outputs = tf.tidy(() => logits(layers, input));
      const values = (await outputs.data()) as Float32Array;
      outputs.dispose();
      keep(values);
      return values[0] ?? Number.NaN;
    },
    dispose: () => tf.dispose([input, layers.map(({ weight, bias }) => [weight, bias])]),
  };
}
