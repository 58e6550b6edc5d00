import type { LocalTraining, Optimizer } from "../../../../protocol/tasks.ts";
import type { KernelName } from "../../../../shaders/index.ts";
import type { StepScalars } from "./schedule.ts";

/** The kernel that makes an optimiser's step, and how many vectors of state it keeps. */
export function stepKernel({ kind }: Optimizer): { readonly name: KernelName; readonly states: number } {
  switch (kind) {
    case "sgd":
      return { name: "sgd-step", states: 0 };
    case "momentum":
      return { name: "momentum-step", states: 1 };
    case "adam":
      return { name: "adam-step", states: 2 };
  }
}

/** Scalars of step `t`, counted from 1; computed in float64, as `1 - beta^t` loses digits in float32. */
export function stepScalars({ localLearningRate: rate, optimizer }: LocalTraining, t: number): StepScalars {
  const none = { rate, beta1: 0, beta2: 0, epsilon: 0, mScale: 1, vScale: 1 };
  switch (optimizer.kind) {
    case "sgd":
      return none;
    case "momentum":
      return { ...none, beta1: optimizer.momentum };
    case "adam": {
      const { beta1, beta2, epsilon } = optimizer;
      return { rate, beta1, beta2, epsilon, mScale: 1 / (1 - beta1 ** t), vScale: 1 / (1 - beta2 ** t) };
    }
  }
}
