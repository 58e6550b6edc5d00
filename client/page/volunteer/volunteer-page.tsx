import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Catalog } from "../../../protocol/catalogs.ts";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { NodeOptions, NodeState } from "../../node/state.ts";
import { formatCount } from "../format.ts";
import { SiteFrame } from "../site-frame.tsx";
import { DataPath } from "./data-path.tsx";
import { JoinForm } from "./join-form.tsx";
import { NodePanel } from "./node-panel.tsx";
import { announcement, isRunning, phaseLine, stageOf, withReasonOf } from "./phase-words.ts";
import { rememberName } from "./remembered-name.ts";
import { rememberThreads } from "./remembered-threads.ts";
import { TaskFacts, updateSize } from "./task-facts.tsx";
import type { Volunteer, VolunteerDependencies } from "./volunteer-model.ts";

/** Props of `VolunteerPage`. */
export interface VolunteerPageProps extends VolunteerDependencies {
  readonly firstName: string;
  readonly firstThreads: number | null;
}

/** The whole volunteer page: the invitation or the node at work, the way of the data, what there is to know. */
export function VolunteerPage(props: VolunteerPageProps): JSX.Element {
  const { volunteer, parameters } = props;
  const chosenId = useSignal(parameters.task);
  const dismissed = useSignal<NodeState | null>(null);
  const online = useOnline();
  const state = volunteer.node.value === dismissed.value ? null : volunteer.node.value;
  const task = chooseTask(volunteer.tasks.value ?? [], state?.task?.id ?? chosenId.value);
  const node = withReasonOf(state, task);
  const catalog = catalogOf(volunteer, task);
  useTitle(node);
  return (
    <SiteFrame page="volunteer" footer={<Footer />}>
      <p class="visually-hidden" role="status">
        {node === null ? "" : announcement(node)}
      </p>
      {node === null ? (
        <Welcome
          {...props}
          task={task}
          catalog={catalog}
          online={online}
          onChooseTask={(id) => {
            chosenId.value = id;
          }}
        />
      ) : (
        <NodePanel
          node={node}
          losses={volunteer.losses.value}
          task={task}
          online={online}
          onPause={() => void volunteer.pause()}
          onResume={() => void volunteer.resume()}
          onStop={() => void volunteer.stop()}
          onAgain={() => {
            dismissed.value = state;
          }}
        />
      )}
      <Path node={node} task={task} />
      <TaskFacts task={task?.task ?? null} catalog={catalog} />
    </SiteFrame>
  );
}

function catalogOf({ catalogs }: Volunteer, task: TaskStatus | null): Catalog | null {
  return task === null ? null : (catalogs.value.get(task.task.catalog) ?? null);
}

interface WelcomeProps extends VolunteerPageProps {
  readonly task: TaskStatus | null;
  readonly catalog: Catalog | null;
  readonly online: boolean;
  readonly onChooseTask: (id: string) => void;
}

function Welcome(props: WelcomeProps): JSX.Element {
  const { volunteer, task, catalog } = props;
  const join = (wish: Pick<NodeOptions, "name" | "backend" | "threads">): void => {
    rememberName(wish.name);
    rememberThreads(wish.threads);
    void volunteer.join({ ...wish, task: task?.task.id ?? null });
  };
  return (
    <div class="welcome">
      <Intro
        task={task}
        rows={catalog?.rows ?? null}
        problem={volunteer.problem.value}
        onRetry={() => void volunteer.readTasks()}
      />
      <JoinForm
        campaigns={offered(volunteer.tasks.value ?? [], task)}
        chosen={task}
        onChooseTask={props.onChooseTask}
        firstName={props.firstName}
        firstBackend={props.parameters.backend}
        firstThreads={props.firstThreads}
        cores={props.cores}
        hasWebGpu={props.hasWebGpu}
        online={props.online}
        onJoin={join}
      />
    </div>
  );
}

interface IntroProps {
  readonly task: TaskStatus | null;
  readonly rows: number | null;
  readonly problem: string | null;
  readonly onRetry: () => void;
}

function Intro({ task, rows, problem, onRetry }: IntroProps): JSX.Element {
  return (
    <div class="intro">
      <h1>Lend this tab to a sky survey.</h1>
      <p class="intro-text">
        AstroScale trains one model in many browsers. Your machine takes a piece of a star catalog, learns
        from it, and hands back only what it learned.
      </p>
      {task !== null && <Terms task={task} rows={rows} />}
      {problem !== null && (
        <div class="message warn" role="alert">
          <p>
            <b>The coordinator cannot be read:</b> {problem}.
          </p>
          <p>
            <button type="button" class="button small" onClick={onRetry}>
              Try again
            </button>
          </p>
        </div>
      )}
    </div>
  );
}

/** The three things to know before pressing Join, each in a line; the foot of the page says more. */
function Terms({ task, rows }: { task: TaskStatus; rows: number | null }): JSX.Element {
  return (
    <dl class="terms">
      <dt>Computed</dt>
      <dd>
        {task.task.title}
        {rows !== null && `, from ${formatCount(rows)} catalog rows`}
      </dd>
      <dt>Leaves</dt>
      <dd>{updateSize(task.task)} a round; never rows, never files</dd>
      <dt>Uses</dt>
      <dd>as much of the processor as you choose, and the graphics processor if you let it</dd>
    </dl>
  );
}

function Path({ node, task }: { node: NodeState | null; task: TaskStatus | null }): JSX.Element {
  const training = task?.task.training;
  return (
    <DataPath
      active={node === null ? null : stageOf(node.phase)}
      download={
        node === null || node.rows === 0
          ? "Some thousands of measured objects, as one download."
          : `${formatCount(node.rows)} rows in ${formatCount(node.shards)} ${node.shards === 1 ? "shard" : "shards"}, kept here.`
      }
      train={
        training === undefined
          ? "In the background, on your processor."
          : `${formatCount(training.localEpochs)} passes over the rows each round, in the background.`
      }
      send={
        task === null ? "A list of numbers, averaged with all others." : `${updateSize(task.task)} a round.`
      }
    />
  );
}

function Footer(): JSX.Element {
  return (
    <p>
      AstroScale is free software under the MIT licence. The <a href="/dashboard">dashboard</a> shows every
      node, round and score of the campaign.
    </p>
  );
}

/** The task of that id; without one, the first campaign that still needs nodes. */
function chooseTask(tasks: readonly TaskStatus[], id: string | null): TaskStatus | null {
  const campaigns = tasks.filter(({ task }) => task.baselineOf === null);
  const wanted = tasks.find(({ task }) => task.id === id);
  return wanted ?? campaigns.find(({ state }) => state !== "finished") ?? campaigns[0] ?? null;
}

/** Campaigns to choose from: the baseline of another only when the address named it. */
function offered(tasks: readonly TaskStatus[], chosen: TaskStatus | null): readonly TaskStatus[] {
  return tasks.filter((status) => status.task.baselineOf === null || status === chosen);
}

function useOnline(): boolean {
  const online = useSignal(navigator.onLine);
  useEffect(() => {
    const update = (): void => {
      online.value = navigator.onLine;
    };
    // What changed between the first render and this effect was heard by nobody.
    update();
    addEventListener("online", update);
    addEventListener("offline", update);
    return () => {
      removeEventListener("online", update);
      removeEventListener("offline", update);
    };
  }, []);
  return online.value;
}

/** The tab's title says how it goes while the tab lies behind others. */
function useTitle(node: NodeState | null): void {
  const round = node?.round ?? null;
  const running = node !== null && isRunning(node.phase);
  const where = round === null ? "" : ` round ${round} of ${node?.rounds ?? "?"}`;
  const title =
    node === null
      ? "lend this tab to a sky survey"
      : running && where !== ""
        ? where.trim()
        : phaseLine(node);
  useEffect(() => {
    document.title = `AstroScale: ${title}`;
  }, [title]);
}
