import type { ComponentChildren, JSX } from "preact";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { NodeState } from "../../node/state.ts";
import { backendAndDevice, choiceReason } from "../backend-words.ts";
import { formatBytes, formatCount, formatLoss, formatRate, UNKNOWN } from "../format.ts";
import { Ruler } from "../ruler.tsx";
import { metricsOf } from "../score.ts";
import type { RoundLoss } from "./loss-history.ts";
import { LossSparkline } from "./loss-sparkline.tsx";
import { headlineOf, isRunning, phaseLine, phaseTone } from "./phase-words.ts";
import { remedyFor } from "./remedies.ts";
import { threadsInWords } from "./threads-field.tsx";

/** Props of `NodePanel`. */
export interface NodePanelProps {
  readonly node: NodeState;
  readonly losses: readonly RoundLoss[];
  /** The node's task as the coordinator lists it; `null` when it does not. */
  readonly task: TaskStatus | null;
  readonly online: boolean;
  readonly onPause: () => void;
  readonly onResume: () => void;
  readonly onStop: () => void;
  readonly onAgain: () => void;
}

/** A node at work, or what came of it. */
export function NodePanel(props: NodePanelProps): JSX.Element {
  const { node } = props;
  return (
    <section class="node" aria-label="Your node">
      <div class="node-head">
        <div>
          <h1>{headlineOf(node)}</h1>
          <p class={`state ${phaseTone(node.phase)} node-phase`}>{phaseLine(node)}</p>
        </div>
        <Controls {...props} />
      </div>
      <Messages {...props} />
      {node.phase === "finished" && <Thanks {...props} />}
      {!neverBegan(node) && (
        <div class="node-body">
          <div class="node-progress">
            <RoundProgress node={node} />
            <NodeFigures node={node} />
            <ComputesWith node={node} />
          </div>
          <LossSparkline losses={props.losses} />
        </div>
      )}
    </section>
  );
}

/** What computes, why that, and how much of the processor it may have. */
function ComputesWith({
  node: { backend, device, probes, threads },
}: {
  node: NodeState;
}): JSX.Element | null {
  if (backend === null) return null;
  const reason = choiceReason(backend, probes);
  // A page that is not isolated computes on one thread, whatever the volunteer allows.
  const isCurbed = backend === "wasm" && device?.endsWith(`, ${threadsInWords(threads)}`) === false;
  return (
    <div class="computes">
      <p class="label">
        Computes with <b>{backendAndDevice(backend, device)}</b>
        {isCurbed && `; you allow up to ${threadsInWords(threads)}`}
      </p>
      {reason !== null && <p class="label">{reason}.</p>}
    </div>
  );
}

/** A node that ended before its first round has no progress to show. */
function neverBegan({ phase, round }: NodeState): boolean {
  return round === null && !isRunning(phase);
}

function Controls({ node, onPause, onResume, onStop, onAgain }: NodePanelProps): JSX.Element {
  if (!isRunning(node.phase)) {
    return (
      <div class="controls">
        <button
          type="button"
          class={node.phase === "finished" ? "button" : "button primary"}
          onClick={onAgain}
        >
          {node.phase === "failed" ? "Try again" : "Back to the start"}
        </button>
      </div>
    );
  }
  const paused = node.phase === "paused";
  return (
    <div class="controls">
      <button
        type="button"
        class={paused ? "button primary" : "button"}
        disabled={node.phase === "joining"}
        onClick={paused ? onResume : onPause}
      >
        {paused ? "Resume" : "Pause"}
      </button>
      <button type="button" class="button" onClick={onStop}>
        Stop
      </button>
    </div>
  );
}

function Messages({ node, online }: NodePanelProps): JSX.Element {
  return (
    <>
      {!online && isRunning(node.phase) && (
        <p class="message warn">
          This machine is offline. What is being computed is kept, and goes out when the connection is back.
        </p>
      )}
      {node.notice !== null && <p class="message">{node.notice}</p>}
      {node.error !== null && (
        <div class="message bad">
          <p>
            <b>{node.error.message}</b> <span class="code">{node.error.code}</span>
          </p>
          <p>{remedyFor(node.error.code)}</p>
        </div>
      )}
    </>
  );
}

function Thanks({ node, task }: NodePanelProps): JSX.Element {
  const query = node.task === null ? "" : `?task=${encodeURIComponent(node.task.id)}`;
  return (
    <div class="thanks">
      {task !== null && <ScoreReached {...task} />}
      <p>
        Your tab trained on {formatCount(node.examplesTrained)} examples and sent{" "}
        {formatCount(node.updatesAccepted)} updates that are part of the model.{" "}
        <a href={`/dashboard${query}`}>See the whole campaign</a>
      </p>
    </div>
  );
}

function ScoreReached({ task, score, central }: TaskStatus): JSX.Element | null {
  const [metric] = metricsOf(task.label);
  const reached = metric.of(score);
  const alone = metric.of(central);
  if (reached === null) return null;
  return (
    <p class="thanks-score">
      <span>{metric.format(reached)}</span> {metric.label} on held-out rows
      {alone !== null && `, ${metric.format(alone)} when one machine holds all rows`}
    </p>
  );
}

function RoundProgress({ node }: { node: NodeState }): JSX.Element {
  const { round, rounds } = node;
  return (
    <div class="ruler">
      <p class="ruler-words">
        <span>
          <span class="label">Round</span> <b>{round === null ? UNKNOWN : formatCount(round)}</b>{" "}
          <span class="label">of {rounds === null ? UNKNOWN : formatCount(rounds)}</span>
        </span>
        <span class="label">{round === 0 ? "Round 0 measures the data" : (node.task?.title ?? "")}</span>
      </p>
      <Ruler label="Rounds of the campaign" total={rounds ?? 1} {...progressOf(node)} />
    </div>
  );
}

/** Rounds closed, and the share of the open one that is done here. Round 0 fits the scaling and is not counted. */
function progressOf({ phase, round, rounds, localEpoch, localEpochs }: NodeState): {
  done: number;
  within: number;
} {
  if (phase === "finished") return { done: rounds ?? 0, within: 0 };
  if (round === null || round === 0) return { done: 0, within: 0 };
  return { done: round - 1, within: localEpochs === 0 ? 0 : localEpoch / localEpochs };
}

function NodeFigures({ node }: { node: NodeState }): JSX.Element {
  return (
    <dl class="node-figures">
      <Figure label="Speed" value={formatRate(node.examplesPerSecond)}>
        {formatCount(node.examplesTrained)} examples so far
      </Figure>
      <Figure label="Updates accepted" value={formatCount(node.updatesAccepted)}>
        loss {formatLoss(node.loss)}
      </Figure>
      <Figure label="Your rows" value={formatCount(node.rows)}>
        in {formatCount(node.shards)} {node.shards === 1 ? "shard" : "shards"}
      </Figure>
      <Figure label="Sent" value={formatBytes(node.bytesUp)}>
        {formatBytes(node.bytesDown)} received
      </Figure>
    </dl>
  );
}

function Figure(props: { label: string; value: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt class="label">{props.label}</dt>
      <dd class="figure-value">{props.value}</dd>
      <dd class="label">{props.children}</dd>
    </div>
  );
}
