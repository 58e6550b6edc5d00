// A worker with what a node's worker holds and nothing of the peers, so that its start is a node's start.
import * as Comlink from "comlink";
import { type Choice, ShardNode, type ShardStep, type ShardWish } from "./page/shard-step.ts";

let node: ShardNode | null = null;

const worker = {
  /** Trains one epoch on the shard, from nothing. */
  async firstEpoch(wish: ShardWish): Promise<ShardStep> {
    node = new ShardNode(wish);
    return node.firstEpoch();
  },
  /** What comes of choosing between two devices afterwards. */
  async choose(): Promise<Choice> {
    if (node === null) throw new Error("nothing was trained yet");
    return node.choose();
  },
};

/** What the page asks of it. */
export type FirstStepWorker = typeof worker;

Comlink.expose(worker);
