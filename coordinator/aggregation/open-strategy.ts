import type { StrategyConfig } from "../../protocol/tasks.ts";
import { fedavg } from "./fedavg.ts";
import type { Strategy } from "./strategy.ts";

const STRATEGIES: Readonly<Record<StrategyConfig["kind"], Strategy>> = { fedavg };

/** The strategy that `config` names. */
export function openStrategy(config: StrategyConfig): Strategy {
  return STRATEGIES[config.kind];
}
