import type { LocalTraining } from "../../../protocol/local-training.ts";
import type { OptimizerRecord } from "../../../wasm/records.ts";

/** Of an optimiser's record, what does not depend on where a round starts. */
export type OptimizerRule = Pick<
  OptimizerRecord,
  "rule" | "beta1" | "beta2" | "epsilon" | "weightDecay" | "l2" | "clipNorm"
>;

/** The rule of a training and the terms that it adds to the gradient; what a rule has not is 0. */
export function optimizerRecord({ optimizer, l2, gradientClipNorm }: LocalTraining): OptimizerRule {
  const clipNorm = gradientClipNorm ?? 0;
  const none = { beta1: 0, beta2: 0, epsilon: 0, weightDecay: 0, l2, clipNorm };
  switch (optimizer.kind) {
    case "sgd":
      return { ...none, rule: "sgd" };
    case "momentum":
    case "nesterov":
      return { ...none, rule: optimizer.kind, beta1: optimizer.momentum };
    case "adam":
    case "adamw": {
      const { beta1, beta2, epsilon } = optimizer;
      const weightDecay = optimizer.kind === "adamw" ? optimizer.weightDecay : 0;
      return { ...none, rule: "adam", beta1, beta2, epsilon, weightDecay };
    }
  }
}
