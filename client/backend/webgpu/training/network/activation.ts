import type { LocalTraining } from "../../../../../protocol/local-training.ts";
import type { Activation, ModelSpec } from "../../../../../protocol/model.ts";
import { STREAMS } from "../../../../../protocol/random.ts";
import type { Constants } from "../../pipelines.ts";

const CODES: Readonly<Record<Activation, number>> = { identity: 0, relu: 1, gelu: 2, tanh: 3 }; // in activate.wgsl

/** Where hidden layers are activated. */
export interface ActivationPlan {
  /** In the dense kernel itself, whose input gradient then masks by sign. */
  readonly fused: boolean;
  /** How a kernel of its own is compiled, or `null` where nothing is left to do. */
  readonly constants: Constants | null;
}

/** A ReLU without dropout is fused, the identity without dropout is nothing; all else is a kernel of its own. */
export function planActivation(
  { activation }: Pick<ModelSpec, "activation">,
  { dropout }: Pick<LocalTraining, "dropout">,
): ActivationPlan {
  if (dropout === 0 && activation === "relu") return { fused: true, constants: null };
  if (dropout === 0 && activation === "identity") return { fused: false, constants: null };
  const constants = {
    ACTIVATION: CODES[activation],
    DROPOUT: dropout > 0 ? 1 : 0,
    DROPOUT_STREAM: STREAMS.dropout,
  };
  return { fused: false, constants };
}

/** How `Step` tells the dropout of a step. */
export interface DropoutScalars {
  readonly seed: number;
  /** A unit is dropped where its random word is below. */
  readonly dropBelow: number;
  /** Factor of the units that are not. */
  readonly keptScale: number;
}

/** No unit is dropped. */
export const NO_DROPOUT: DropoutScalars = { seed: 0, dropBelow: 0, keptScale: 1 };

/** Units are dropped with probability `dropout`. @param seed an unsigned 32-bit integer */
export function dropoutScalars({ dropout }: Pick<LocalTraining, "dropout">, seed: number): DropoutScalars {
  return { seed, dropBelow: Math.floor(dropout * 2 ** 32), keptScale: 1 / (1 - dropout) };
}
