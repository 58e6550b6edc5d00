import type { NodeState } from "../../node/state.ts";

/** Loss of one round on this machine's rows. */
export interface RoundLoss {
  readonly round: number;
  readonly loss: number;
}

/** The history after one more state: the last loss of each training round stays, ascending by round. */
export function withLoss(history: readonly RoundLoss[], state: NodeState): readonly RoundLoss[] {
  const { round, loss, phase } = state;
  // Outside these phases `loss` still tells of the round before.
  if (phase !== "training" && phase !== "sending") return history;
  if (round === null || round === 0 || loss === null || !Number.isFinite(loss)) return history;
  // A round's first state still carries the loss of the one before.
  if (phase === "training" && state.localEpoch === 0) return history;
  const last = history.at(-1);
  if (last?.round === round && last.loss === loss) return history;
  return [...history.filter((entry) => entry.round < round), { round, loss }];
}
