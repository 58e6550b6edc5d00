import { AstroScaleError } from "../../protocol/errors.ts";
import type { Heartbeat, JoinReply, JoinRequest } from "../../protocol/nodes.ts";
import { type Score, TaskSpec, type TaskStatus } from "../../protocol/tasks.ts";
import type { CatalogSource } from "../catalogs/catalog.ts";
import { heldOutOf } from "../rounds/served-task.ts";
import type { CampaignDependencies } from "./dependencies.ts";
import { HEARTBEAT_SECS, type Member, Members, nodeStatus } from "./members.ts";
import { TaskRunner } from "./task-runner.ts";

const TICK_MS = 500;

/** Every task with its rounds, and every node: the coordinator without its sockets. */
export class Campaign {
  readonly members: Members;
  readonly #deps: CampaignDependencies;
  readonly #runners = new Map<string, TaskRunner>();
  #cancelTick: () => void = () => {};

  private constructor(deps: CampaignDependencies, members: Members) {
    this.#deps = deps;
    this.members = members;
  }

  /** The campaign as the store has it; `defaults` are added where the store lacks them. */
  static async open(deps: CampaignDependencies, defaults: readonly TaskSpec[]): Promise<Campaign> {
    const campaign = new Campaign(deps, await Members.load(deps.store, deps.clock));
    for (const { value } of await deps.store.list("tasks/")) await campaign.#run(TaskSpec.parse(value));
    for (const task of defaults) if (!campaign.#runners.has(task.id)) await campaign.addTask(task);
    campaign.#scheduleTick();
    return campaign;
  }

  /**
   * Adds a task and opens its round 0.
   *
   * @throws {AstroScaleError} `task_exists`; `not_found` for a catalog or baseline that is not here; what
   * `heldOutOf` throws
   */
  async addTask(task: TaskSpec): Promise<TaskRunner> {
    if (task.baselineOf !== null) this.task(task.baselineOf);
    heldOutOf(task, this.#source(task));
    // The record is claimed before anything runs: of two who add the same id at once, one is refused.
    if ((await this.#deps.store.swap(`tasks/${task.id}`, null, task)) === null) {
      throw new AstroScaleError("task_exists", `task ${task.id} exists already; choose another id`);
    }
    const runner = await this.#run(task);
    this.#deps.feed.publish({ kind: "task", task: runner.status() });
    return runner;
  }

  #source(task: TaskSpec): CatalogSource {
    const source = this.#deps.catalogs.find(({ catalog }) => catalog.id === task.catalog);
    if (source) return source;
    const known = this.#deps.catalogs.map(({ catalog }) => catalog.id).join(", ");
    throw new AstroScaleError("not_found", `catalog "${task.catalog}" is not here; there are ${known}`);
  }

  async #run(task: TaskSpec): Promise<TaskRunner> {
    const source = this.#source(task);
    const { store, clock, feed, log } = this.#deps;
    const centralScore = (): Score | null => this.#baselineOf(task.id)?.score ?? null;
    const runner = await TaskRunner.open(task, {
      store,
      clock,
      feed,
      log,
      source,
      members: this.members,
      centralScore,
    });
    this.#runners.set(task.id, runner);
    return runner;
  }

  #baselineOf(id: string): TaskRunner | undefined {
    return [...this.#runners.values()].find(({ task }) => task.baselineOf === id);
  }

  /** @throws {AstroScaleError} `not_found` */
  task(id: string): TaskRunner {
    const runner = this.#runners.get(id);
    if (!runner) {
      throw new AstroScaleError("not_found", `there is no task "${id}"; GET /tasks lists those there are`);
    }
    return runner;
  }

  /** @throws {AstroScaleError} `not_found` */
  taskOrDefault(id: string | undefined): TaskRunner {
    return id === undefined ? this.#defaultTask() : this.task(id);
  }

  tasks(): TaskStatus[] {
    return [...this.#runners.values()].map((runner) => runner.status());
  }

  /** What a call gets that names no task: the first unfinished one that is no baseline, else the first. */
  #defaultTask(): TaskRunner {
    const runners = [...this.#runners.values()].filter(({ task }) => task.baselineOf === null);
    const chosen = runners.find(({ finished }) => !finished) ?? runners[0];
    if (!chosen) throw new AstroScaleError("not_found", "this coordinator has no task yet");
    return chosen;
  }

  /** @throws {AstroScaleError} `not_found` when the request names a task that is not here */
  async join(request: JoinRequest): Promise<JoinReply> {
    const runner = this.taskOrDefault(request.task);
    const { member, token } = await this.members.join(request, runner.task.id);
    this.#deps.feed.publish({ kind: "node", node: nodeStatus(member) });
    runner.reconsider();
    return { nodeId: member.nodeId, token, task: runner.task.id, heartbeatSecs: HEARTBEAT_SECS };
  }

  /** @throws {AstroScaleError} `unauthorized` */
  authenticate(authorization: string | undefined): Member {
    const { member, returned } = this.members.authenticate(authorization);
    if (returned) this.#memberChanged(member);
    return member;
  }

  #memberChanged(member: Member): void {
    this.#deps.feed.publish({ kind: "node", node: nodeStatus(member) });
    this.#runners.get(member.task)?.reconsider();
  }

  heartbeat(member: Member, heartbeat: Heartbeat): void {
    const wasPaused = member.state === "paused";
    if (!this.members.heartbeat(member, heartbeat)) return;
    this.#deps.feed.publish({ kind: "node", node: nodeStatus(member) });
    if (wasPaused !== (member.state === "paused")) this.#runners.get(member.task)?.reconsider();
  }

  async leave(member: Member): Promise<void> {
    await this.members.leave(member);
    this.#deps.feed.publish({ kind: "node-left", nodeId: member.nodeId });
    this.#runners.get(member.task)?.reconsider();
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => {
      this.tick();
      this.#scheduleTick();
    });
  }

  /** Expires leases and judges every open round against the clock. */
  tick(): void {
    for (const member of this.members.expire()) {
      this.#deps.feed.publish({ kind: "node", node: nodeStatus(member) });
    }
    for (const runner of this.#runners.values()) runner.reconsider();
  }

  /** Stops judging; resolves when everything acknowledged or begun is on disk. */
  async stop(): Promise<void> {
    this.#cancelTick();
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
  }
}
