import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import type { LocalTraining } from "../../../protocol/local-training.ts";
import { type ModelSpec, parameterLayout } from "../../../protocol/model.ts";
import type { BackendName } from "../../../protocol/nodes.ts";
import type { Contestant } from "../contest.ts";
import { batchesOf, type Problem } from "../problem.ts";

// jax-js wants type aliases for its trees. Every function takes over its arguments; `.ref` keeps one.
type Layer = { weight: np.Array; bias: np.Array };
type Layers = Layer[];
/** Adam's moments, and `beta1^t` and `beta2^t` as scalars. */
type Moments = { first: Layers; second: Layers; beta1t: np.Array; beta2t: np.Array };
type State = { layers: Layers; moments: Moments[]; lossSum: np.Array };

async function open(device: BackendName): Promise<void> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
}

function layersOf(model: ModelSpec, parameters: Float32Array<ArrayBuffer>): Layers {
  return parameterLayout(model).map(({ inputs, outputs, weightAt, biasAt }) => ({
    weight: np.array(parameters.slice(weightAt, biasAt), { shape: [inputs, outputs] }),
    bias: np.array(parameters.slice(biasAt, biasAt + outputs), { shape: [outputs] }),
  }));
}

function logits(layers: Layers, x: np.Array): np.Array {
  return layers.reduce((a, { weight, bias }, l) => {
    const z = np.dot(a, weight).add(bias);
    return l === layers.length - 1 ? z : nn.relu(z);
  }, x);
}

function lossOf(layers: Layers, x: np.Array, labels: np.Array): np.Array {
  return np.mean(np.sum(nn.logSoftmax(logits(layers, x), 1).mul(labels), 1)).mul(-1);
}

function zerosLike(layers: Layers): Layers {
  return layers.map(({ weight, bias }) => ({ weight: np.zeros(weight.shape), bias: np.zeros(bias.shape) }));
}

/** One layer-wise map over trees of the same form. */
function zip(work: (...values: np.Array[]) => np.Array, ...all: [Layers, ...Layers[]]): Layers {
  return tree.map(work, ...all);
}

function stepOf({ localLearningRate: rate, optimizer }: LocalTraining) {
  const descend = (layers: Layers, moments: Moments[], gradient: Layers): [Layers, Moments[]] => {
    const [before] = moments;
    if (!before || optimizer.kind !== "adam") {
      return [zip((w, g) => w.sub(g.mul(rate)), layers, gradient), []];
    }
    const { beta1, beta2, epsilon } = optimizer;
    const mix = (beta: number) => (m: np.Array, g: np.Array) => m.mul(beta).add(g.mul(1 - beta));
    const first = zip(mix(beta1), before.first, tree.ref(gradient));
    const second = zip(
      mix(beta2),
      before.second,
      zip((g) => np.square(g), gradient),
    );
    const beta1t = before.beta1t.mul(beta1);
    const beta2t = before.beta2t.mul(beta2);
    const move = (w: np.Array, m: np.Array, v: np.Array): np.Array => {
      const mean = m.div(beta1t.ref.mul(-1).add(1));
      const size = np.sqrt(v.div(beta2t.ref.mul(-1).add(1))).add(epsilon);
      return w.sub(mean.div(size).mul(rate));
    };
    const next = zip(move, layers, tree.ref(first), tree.ref(second));
    return [next, [{ first, second, beta1t, beta2t }]];
  };
  return ({ layers, moments, lossSum }: State, x: np.Array, labels: np.Array): State => {
    const [loss, gradient] = valueAndGrad(lossOf)(tree.ref(layers), x, labels);
    const [next, nextMoments] = descend(layers, moments, gradient);
    return { layers: next, moments: nextMoments, lossSum: lossSum.add(loss) };
  };
}

/**
 * Training as users of jax-js write it for speed: batches uploaded once, the whole step under one `jit` with
 * `valueAndGrad`, Adam by hand as its library `optax` has it, losses summed on the device and read once an epoch.
 */
export async function jaxTraining(device: BackendName, given: Problem): Promise<Contestant> {
  await open(device);
  const { model, training, parameters } = given;
  const batches = batchesOf(given).map(({ x, labels }) => ({
    x: np.array(x, { shape: [training.batchSize, model.inputs] }),
    labels: np.array(labels, { shape: [training.batchSize, model.outputs] }),
  }));
  const step = jit(stepOf(training));
  const layers = layersOf(model, parameters);
  const adam = (): Moments => ({
    first: zerosLike(layers),
    second: zerosLike(layers),
    beta1t: np.array(1),
    beta2t: np.array(1),
  });
  const moments = training.optimizer.kind === "adam" ? [adam()] : [];
  let state: State = { layers, moments, lossSum: np.array(0) };
  return {
    async once() {
      for (const { x, labels } of batches) state = step(state, x.ref, labels.ref);
      const [sum = Number.NaN] = await state.lossSum.data();
      state = { ...state, lossSum: np.array(0) };
      return sum / batches.length;
    },
    dispose() {
      tree.dispose([state, batches]);
      step.dispose();
    },
  };
}

/** Outputs of all rows, read back; rows and parameters stay on the device. @param keep gets every result */
export async function jaxInference(
  device: BackendName,
  { model, rows, x, parameters }: Problem,
  keep: (outputs: Float32Array) => void,
): Promise<Contestant> {
  await open(device);
  const layers = layersOf(model, parameters);
  const input = np.array(x, { shape: [rows, model.inputs] });
  const run = jit(logits);
  return {
    async once() {
      const values = (await run(tree.ref(layers), input.ref).data()) as Float32Array;
      keep(values);
      return values[0] ?? Number.NaN;
    },
    dispose() {
      tree.dispose([layers, input]);
      run.dispose();
    },
  };
}
