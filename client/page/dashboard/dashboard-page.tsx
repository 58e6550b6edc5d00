import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import {
  baselineTask,
  campaigns,
  nodesOf,
  selectedCampaign,
  totalsOf,
  typicalSeconds,
} from "../campaign-figures.ts";
import type { DashboardState } from "../dashboard-state.ts";
import { SiteFrame } from "../site-frame.tsx";
import type { CampaignFeed, DashboardDependencies } from "./campaign-feed.ts";
import { DataNotes } from "./data-notes.tsx";
import { Headline } from "./headline.tsx";
import { NodesTable } from "./nodes-table.tsx";
import { RejectionsPanel } from "./rejections-panel.tsx";
import { RoundPanel } from "./round-panel.tsx";
import { RoundsTable } from "./rounds-table.tsx";
import { LossChart, ScoreChart, TimeChart } from "./score-charts.tsx";

/** Props of `DashboardPage`. */
export interface DashboardPageProps {
  readonly feed: CampaignFeed;
  readonly dependencies: DashboardDependencies;
}

/** The whole dashboard over a feed: title, numbers, charts, the open round, nodes, refusals, rounds. */
export function DashboardPage({ feed, dependencies }: DashboardPageProps): JSX.Element {
  const campaign = useComputed(() => selectedCampaign(feed.state.value, feed.chosen.value)).value;
  return (
    <SiteFrame
      page="dashboard"
      footer={campaign === null ? null : <DataNotes task={campaign.task} fetch={dependencies.fetch} />}
    >
      <ConnectionNotice feed={feed} />
      {campaign === null ? (
        <NoCampaign feed={feed} />
      ) : (
        <Campaign campaign={campaign} feed={feed} dependencies={dependencies} />
      )}
    </SiteFrame>
  );
}

/** Says aloud only what changes seldom: the connection. */
function ConnectionNotice({ feed }: { feed: CampaignFeed }): JSX.Element {
  const lost = feed.connection.value === "lost";
  const stale = feed.state.value.tasks.length > 0;
  const problem = feed.problem.value;
  return (
    <div role="status" class="connection">
      {(lost || problem !== null) && (
        <p class="message warn">
          {lost ? "Connection lost, retrying." : `Retrying: ${problem}.`}
          {stale && " The numbers below are the last that arrived."}
        </p>
      )}
    </div>
  );
}

function NoCampaign({ feed }: { feed: CampaignFeed }): JSX.Element {
  const reading = feed.connection.value !== "live" || feed.state.value.tasks.length > 0;
  return (
    <div class="nothing">
      <h1>{reading ? "Looking for the coordinator" : "No campaign yet"}</h1>
      <p class="muted">
        {reading
          ? "It has not answered so far. This page goes on asking."
          : "The coordinator runs but has no task. Add one to astroscale.toml under [[tasks]], or post it to /tasks."}
      </p>
    </div>
  );
}

function Campaign(props: DashboardPageProps & { campaign: TaskStatus }): JSX.Element {
  const { campaign, feed, dependencies } = props;
  const state = feed.state.value;
  const { id } = campaign.task;
  const rounds = state.rounds.get(id) ?? [];
  const nodes = nodesOf(state, id);
  const totals = totalsOf(nodes, rounds);
  const last = rounds.at(-1) ?? null;
  const baseline = baselineTask(state, id);
  const central = baseline === null ? [] : (state.rounds.get(baseline.task.id) ?? []);
  const charts = { campaign, rounds, central };
  return (
    <div class="dashboard">
      <CampaignTitle {...props} state={state} />
      <Headline campaign={campaign} totals={totals} open={last?.phase === "closed" ? null : last} />
      <div class="main-chart">
        <ScoreChart {...charts} />
      </div>
      <RoundPanel
        campaign={campaign}
        round={last}
        rounds={rounds}
        opening={state.openings.get(id) ?? null}
        typicalSeconds={typicalSeconds(rounds)}
        nowMs={dependencies.nowMs}
      />
      <div class="side-charts">
        <LossChart {...charts} />
        <TimeChart {...charts} />
      </div>
      <NodesTable nodes={nodes} finished={campaign.state === "finished"} />
      <RejectionsPanel counts={totals.rejected} recent={state.rejections.filter(({ task }) => task === id)} />
      <div class="all-rounds">
        <RoundsTable task={campaign.task} rounds={rounds} />
      </div>
    </div>
  );
}

const STATES = {
  waiting: { tone: "warn", text: "Waiting for nodes" },
  running: { tone: "active", text: "Running" },
  finished: { tone: "good", text: "Finished" },
} as const;

function CampaignTitle(
  props: DashboardPageProps & { campaign: TaskStatus; state: DashboardState },
): JSX.Element {
  const { campaign, state, feed, dependencies } = props;
  const list = campaigns(state);
  const { tone, text } = STATES[campaign.state];
  return (
    <div class="campaign-title">
      <div>
        <p class={`state ${tone}`} role="status">
          {text}
        </p>
        <h1>{campaign.task.title}</h1>
        <p class="muted lede">{campaign.task.description}</p>
      </div>
      {list.length > 1 && (
        <label class="task-select">
          <span class="label">Campaign</span>
          <select
            value={campaign.task.id}
            onChange={({ currentTarget }) => {
              feed.choose(currentTarget.value);
              dependencies.onChoose(currentTarget.value);
            }}
          >
            {list.map(({ task }) => (
              <option key={task.id} value={task.id}>
                {task.title}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
