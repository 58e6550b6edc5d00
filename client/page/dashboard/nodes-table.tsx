import { Fragment, type JSX } from "preact";
import type { NodeFault, NodeStatus } from "../../../protocol/nodes.ts";
import { backendAndDevice, measuredRates } from "../backend-words.ts";
import { formatCount, formatRate } from "../format.ts";

const COLUMNS = 6;
/** Rows beyond this are counted, not listed. */
const MOST_ROWS = 200;

const TONES: Record<NodeStatus["state"], string> = {
  waiting: "",
  downloading: "active",
  preprocessing: "active",
  training: "active",
  sending: "active",
  paused: "warn",
  lost: "bad",
};

/** Props of `NodesTable`. */
export interface NodesTableProps {
  readonly nodes: readonly NodeStatus[];
  /** Whether the campaign is over, so that nobody is missed. */
  readonly finished: boolean;
}

/** Every node of the campaign: what it runs on, what it does, what came of it. Names are text, never markup. */
export function NodesTable({ nodes, finished }: NodesTableProps): JSX.Element {
  return (
    <section class="panel" aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes</h2>
      {nodes.length === 0 ? (
        <NoNodes finished={finished} />
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="nodes-title">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">State</th>
                <th scope="col">Backend</th>
                <th scope="col" class="number">
                  Speed
                </th>
                <th scope="col" class="number">
                  Updates
                </th>
                <th scope="col" class="number">
                  Refused
                </th>
              </tr>
            </thead>
            <tbody>
              {nodes.slice(0, MOST_ROWS).map((node) => (
                <Fragment key={node.nodeId}>
                  <NodeRow node={node} />
                  {node.fault !== null && <FaultRow fault={node.fault} />}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {nodes.length > MOST_ROWS && (
        <p class="muted small">and {formatCount(nodes.length - MOST_ROWS)} more nodes</p>
      )}
    </section>
  );
}

function NoNodes({ finished }: { finished: boolean }): JSX.Element {
  if (finished) return <p class="muted empty">All nodes have left. Each round lists those it was made of.</p>;
  return (
    <p class="muted empty">
      No node is here. <a href="/">Open the volunteer page</a> in another tab, or on another machine.
    </p>
  );
}

function NodeRow({ node }: { node: NodeStatus }): JSX.Element {
  const rates = measuredRates(node.probes);
  return (
    <tr class={node.fault === null ? undefined : "has-fault"}>
      <th scope="row" class="clip" title={node.name}>
        <bdi>{node.name}</bdi>
      </th>
      <td>
        <span class={`state ${TONES[node.state]}`}>{node.state}</span>
      </td>
      <td class="clip wide" title={node.device}>
        {backendAndDevice(node.backend, node.device)}
        {rates !== null && <p class="muted small">measured: {rates}</p>}
      </td>
      <td class="number">{formatRate(node.examplesPerSecond)}</td>
      <td class="number">{formatCount(node.updates)}</td>
      <td class={node.rejected > 0 ? "number bad-number" : "number"}>{formatCount(node.rejected)}</td>
    </tr>
  );
}

/** The last round that the node gave up, and why in its own words. */
function FaultRow({ fault: { round, code, message } }: { fault: NodeFault }): JSX.Element {
  return (
    <tr class="fault small">
      <td colSpan={COLUMNS}>
        gave up round {formatCount(round)}: <bdi>{message}</bdi> <span class="code">{code}</span>
      </td>
    </tr>
  );
}
