import type { LocalTraining, Optimizer } from "../../../../../protocol/local-training.ts";
import type { KernelName } from "../../../../../shaders/index.ts";
import type { Constants } from "../../pipelines.ts";
import type { StepScalars } from "../schedule.ts";

const SMALLEST_FLOAT = 2 ** -126; // a smaller epsilon would be 0 on a device, and 0 / 0 where a gradient is 0

/** The kernel that makes an optimiser's step. */
export interface StepKernel {
  readonly name: KernelName;
  /** Vectors of state that it keeps. */
  readonly states: number;
  readonly constants: Constants;
}

/** The kernel of an optimiser's step, after clipping where that is on. */
export function stepKernel({
  optimizer,
  gradientClipNorm,
}: Pick<LocalTraining, "optimizer" | "gradientClipNorm">): StepKernel {
  const constants = { CLIPPED: gradientClipNorm === null ? 0 : 1 };
  switch (optimizer.kind) {
    case "sgd":
      return { name: "sgd-step", states: 0, constants };
    case "momentum":
      return { name: "momentum-step", states: 1, constants: { ...constants, NESTEROV: 0 } };
    case "nesterov":
      return { name: "momentum-step", states: 1, constants: { ...constants, NESTEROV: 1 } };
    case "adam":
    case "adamw":
      return { name: "adam-step", states: 2, constants };
  }
}

/**
 * Scalars of one step, computed in float64, as `1 - beta^t` loses digits in float32.
 *
 * @param rate the step's learning rate
 * @param t the step since `load`, from 1
 */
export function stepScalars(optimizer: Optimizer, rate: number, t: number): StepScalars {
  const none = { rate, beta1: 0, beta2: 0, epsilon: 0, mScale: 1, vScale: 1, decay: 0 };
  switch (optimizer.kind) {
    case "sgd":
      return none;
    case "momentum":
    case "nesterov":
      return { ...none, beta1: optimizer.momentum };
    case "adam":
    case "adamw": {
      const { beta1, beta2 } = optimizer;
      const epsilon = Math.max(optimizer.epsilon, SMALLEST_FLOAT);
      const decay = optimizer.kind === "adamw" ? rate * optimizer.weightDecay : 0;
      return {
        rate,
        beta1,
        beta2,
        epsilon,
        mScale: 1 / (1 - beta1 ** t),
        vScale: 1 / (1 - beta2 ** t),
        decay,
      };
    }
  }
}
