import type { BackendName } from "../../protocol/nodes.ts";
import { type Contestant, enter } from "./contest.ts";
import { ourInference, ourTraining } from "./ours.ts";
import { type Problem, problem, type TrainingShape } from "./problem.ts";

/** Who computes. Peers are offered a thread for every core. */
export interface Side {
  readonly program: "ours" | "tensorflow" | "jax" | "onnxruntime";
  readonly backend: BackendName;
  /** Threads of our WebAssembly. */
  readonly threads: number;
}

/** Those that are to train the same problem. */
export interface TrainingContest {
  readonly shape: TrainingShape;
  readonly sides: readonly Side[];
}

// Peers are loaded when they are wanted, so that what they hold is not counted against others.

async function trainingOf({ program, ...wish }: Side, given: Problem): Promise<Contestant> {
  switch (program) {
    case "ours":
      return ourTraining(wish, given);
    case "tensorflow":
      return (await import("./peers/tensorflow.ts")).tensorflowTraining(wish.backend, given);
    case "jax":
      return (await import("./peers/jax.ts")).jaxTraining(wish.backend, given);
    case "onnxruntime":
      throw new Error("onnxruntime-web does not train");
  }
}

/** Opens every side on one problem. */
export async function openTraining({ shape, sides }: TrainingContest): Promise<void> {
  const given = problem(shape);
  const contestants: Contestant[] = [];
  for (const side of sides) contestants.push(await trainingOf(side, given));
  enter(contestants);
}

async function inferenceOf(
  { program, ...wish }: Side,
  given: Problem,
  keep: (outputs: Float32Array) => void,
): Promise<Contestant> {
  switch (program) {
    case "ours":
      return ourInference(wish, given, keep);
    case "tensorflow":
      return (await import("./peers/tensorflow.ts")).tensorflowInference(wish.backend, given, keep);
    case "jax":
      return (await import("./peers/jax.ts")).jaxInference(wish.backend, given, keep);
    case "onnxruntime":
      return (await import("./peers/onnxruntime.ts")).onnxInference(wish.backend, given, keep);
  }
}

/** Opens every side on one problem's rows. @returns each side's largest difference from the first side's outputs */
export async function openInference({ shape, sides }: TrainingContest): Promise<number[]> {
  const given = problem(shape);
  const outputs: Float32Array[] = [];
  const contestants: Contestant[] = [];
  for (const [index, side] of sides.entries()) {
    const contestant = await inferenceOf(side, given, (values) => {
      outputs[index] = values;
    });
    await contestant.once();
    contestants.push(contestant);
  }
  enter(contestants);
  const [first = new Float32Array()] = outputs;
  return outputs.map((values) =>
    values.length === first.length
      ? values.reduce((most, value, i) => Math.max(most, Math.abs(value - (first[i] ?? Number.NaN))), 0)
      : Number.POSITIVE_INFINITY,
  );
}
