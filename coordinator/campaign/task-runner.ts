import { createHash } from "node:crypto";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { NoPlan, RoundPlan, RoundStatus, UpdateReceipt } from "../../protocol/rounds.ts";
import type { Score, TaskSpec, TaskStatus } from "../../protocol/tasks.ts";
import type { HeldOutSet } from "../catalogs/catalog.ts";
import type { Assignment } from "../rounds/assignment.ts";
import { planFor } from "../rounds/plan.ts";
import {
  advance,
  isUnmoved,
  markSent,
  newRound,
  type Round,
  type RoundContext,
  waitingReason,
} from "../rounds/round.ts";
import { RoundBook } from "../rounds/round-book.ts";
import {
  newRoundRecord,
  openStatus,
  participantOf,
  type RoundRecord,
  resumeRound,
  type UpdateEntry,
} from "../rounds/round-record.ts";
import {
  closeFit,
  closeTrain,
  type GlobalModel,
  publishedModel,
  type RoundResult,
} from "../rounds/round-result.ts";
import { heldOutOf } from "../rounds/served-task.ts";
import {
  answerAgain,
  checkPayload,
  checkRound,
  checkSender,
  type ReceivedUpdate,
  readUpdate,
} from "../rounds/update-intake.ts";
import type { RunnerDependencies } from "./dependencies.ts";
import { DurableWrites } from "./durable-writes.ts";
import type { Member } from "./members.ts";
import { RoundNews } from "./round-news.ts";
import { WaitingRoom } from "./waiting-room.ts";

interface RunnerParts {
  readonly heldOut: HeldOutSet;
  readonly book: RoundBook;
  readonly round: Round;
}

/**
 * Runs one task's rounds: applies the pure decisions of `round.ts` to what happens, puts every decision on
 * disk before it is acted on, and tells those who wait.
 *
 * Order that makes a crash harmless: the cohort is on disk before a plan is answered; an update is on disk
 * before its receipt; `aggregating` is on disk, and no append is under way, before the updates are read;
 * closing is repeatable, so a restart does it again from the same log to the same bits.
 */
export class TaskRunner {
  readonly task: TaskSpec;
  readonly #deps: RunnerDependencies;
  readonly #book: RoundBook;
  readonly #heldOut: HeldOutSet;
  readonly #owners = new Map<string, string>();
  readonly #pending = new Map<string, Promise<UpdateReceipt>>();
  readonly #waitingRoom: WaitingRoom;
  readonly #news: RoundNews;
  readonly #writes: DurableWrites;
  #records: RoundRecord[] = [];
  #entries: UpdateEntry[] = [];
  #round: Round;
  #model: GlobalModel | null = null;
  #score: Score | null = null;
  /** Monotonic milliseconds at which the newest open round opened. */
  #openedMs = 0;
  /** Nodes that could work when the round was last judged. */
  #present: readonly string[] = [];
  #stopped = false;

  private constructor(task: TaskSpec, deps: RunnerDependencies, { heldOut, book, round }: RunnerParts) {
    this.task = task;
    this.#deps = deps;
    this.#waitingRoom = new WaitingRoom(deps.clock);
    this.#news = new RoundNews(deps.feed, deps.clock, this);
    this.#writes = new DurableWrites(deps.clock, (error) =>
      deps.log.error({ task: task.id, error }, "round record not written, trying again"),
    );
    this.#heldOut = heldOut;
    this.#book = book;
    this.#round = round;
  }

  /**
   * The runner of `task`, its rounds where they stood when the coordinator last ran.
   *
   * @throws {AstroScaleError} as `heldOutOf`
   */
  static async open(task: TaskSpec, deps: RunnerDependencies): Promise<TaskRunner> {
    const heldOut = heldOutOf(task, deps.source);
    const book = new RoundBook(deps.store, task);
    const records = await book.load();
    const newest = records.at(-1) ?? newRoundRecord(task, 0);
    const entries = await book.updates(newest.status.round);
    const deadlineMs = deps.clock.monotonicMs() + task.rules.roundDeadlineSecs * 1000;
    const round = resumeRound(newest, entries, deadlineMs);
    const runner = new TaskRunner(task, deps, { heldOut, book, round });
    runner.#records = records;
    runner.#entries = entries;
    await runner.#resume();
    return runner;
  }

  async #resume(): Promise<void> {
    this.#model = await publishedModel(this.task, this.#book, this.#records);
    this.#score = this.#records.findLast(({ status }) => status.score !== null)?.status.score ?? null;
    for (const { status, cohort } of this.#records) {
      this.#rememberOwners(cohort);
      if (status.phase === "closed") for (const { nodeId } of status.participants) this.#countUpdate(nodeId);
    }
    if (this.#round.phase === "closed") await this.#beginNext();
    else for (const { participant } of this.#entries) this.#countUpdate(participant.nodeId);
    if (this.#round.phase === "collecting") {
      this.#deps.members.grantGrace(this.#round.cohort.map(({ nodeId }) => nodeId));
    }
    if (this.#round.phase === "aggregating") void this.#close();
    this.reconsider();
  }

  #countUpdate(nodeId: string): void {
    const member = this.#deps.members.get(nodeId);
    if (member) member.updates += 1;
  }

  #rememberOwners(cohort: readonly Assignment[]): void {
    for (const { nodeId, shards } of cohort) for (const shard of shards) this.#owners.set(shard, nodeId);
  }

  get finished(): boolean {
    return this.#round.phase === "closed" && this.#round.number === this.task.rules.rounds;
  }

  get score(): Score | null {
    return this.#score;
  }

  /** Judges the round anew; call after every join, leave, heartbeat that changes a state, and tick. */
  reconsider(): void {
    if (this.#stopped) return;
    this.#present = this.#deps.members.present(this.task.id);
    const before = this.#round;
    const after = advance(before, this.#context());
    if (isUnmoved(before, after)) return;
    this.#round = after;
    this.#rememberOwners(after.cohort);
    if (before.phase === "waiting") this.#openedMs = this.#deps.clock.monotonicMs();
    const openedAtMs = this.#record().openedAtMs ?? this.#deps.clock.wallMs();
    this.#replaceRecord({ ...this.#record(), openedAtMs, status: this.#openStatus() });
    void this.#save();
    this.#tell();
    if (after.phase === "aggregating") void this.#close();
  }

  #context(): RoundContext {
    return {
      rules: this.task.rules,
      shards: this.#deps.source.shards,
      nodes: this.#present,
      previous: this.#owners,
      nowMs: this.#deps.clock.monotonicMs(),
    };
  }

  #record(): RoundRecord {
    return this.#records.at(-1) ?? newRoundRecord(this.task, 0);
  }

  #replaceRecord(record: RoundRecord): void {
    this.#records[this.#records.length - 1] = {
      ...record,
      cohort: this.#round.cohort.map(({ nodeId, shards, rows }) => ({ nodeId, shards: [...shards], rows })),
    };
  }

  #openStatus(): RoundStatus {
    return openStatus(this.#record().status, this.#round, this.#entries);
  }

  /** Queues the newest record for the disk, tried again until it is there. */
  #save(): Promise<void> {
    const record = this.#record();
    return this.#writes.queue(() => this.#book.save(record));
  }

  #tell(): void {
    this.#news.step();
    this.#waitingRoom.wake();
  }

  /** What `member` is to do now. */
  plan(member: Member): RoundPlan | NoPlan {
    return planFor(member.nodeId, {
      task: this.task,
      round: this.#round,
      shards: this.#deps.source.shards,
      model: this.#model,
      finished: this.finished,
      presentNodes: this.#present.length,
      nowMs: this.#deps.clock.monotonicMs(),
    });
  }

  /** As `plan`, but waits up to `waitMs` for work, for the task's end, or for `signal`. */
  async awaitPlan(member: Member, waitMs: number, signal: AbortSignal): Promise<RoundPlan | NoPlan> {
    const untilMs = this.#deps.clock.monotonicMs() + waitMs;
    for (;;) {
      await this.#writes.settled;
      const plan = this.plan(member);
      const leftMs = untilMs - this.#deps.clock.monotonicMs();
      if ("kind" in plan || plan.finished || leftMs <= 0 || signal.aborted || this.#stopped) return plan;
      await this.#waitingRoom.wait(leftMs, signal);
    }
  }

  /**
   * Takes an update in; the receipt means that it is on disk and will be counted once.
   *
   * @throws {AstroScaleError} as `readUpdate`, `checkSender`, `checkRound` and `checkPayload`;
   * `idempotency_key_reused`, `update_in_flight`, `duplicate_update`, `store_unavailable`, `disk_full`
   */
  async accept(member: Member, idempotencyKey: string, bytes: Uint8Array): Promise<UpdateReceipt> {
    const update = readUpdate(bytes);
    const { metadata } = update;
    checkSender(metadata, member.nodeId, this.task.id);
    const digest = createHash("sha256").update(bytes).digest("hex");
    const participant = participantOf(metadata, member.name, digest);
    const entry = { idempotencyKey, bytes: bytes.length, participant };
    const earlier = await this.#earlier(metadata.round, member.nodeId);
    if (earlier) return answerAgain(earlier, entry, metadata);
    this.#check(update);
    if (this.#pending.has(member.nodeId)) {
      throw new AstroScaleError("update_in_flight", "an update of this node is being stored, try again");
    }
    const stored = this.#takeIn(update, entry, bytes);
    this.#pending.set(member.nodeId, stored);
    try {
      return await stored;
    } finally {
      this.#pending.delete(member.nodeId);
    }
  }

  #check(update: ReceivedUpdate): void {
    const place = checkRound(
      update.metadata,
      this.#round,
      this.#round.kind === "fit" ? null : this.#modelDigest(),
    );
    checkPayload(update, this.task, this.#round.kind, place);
  }

  #modelDigest(): string {
    if (!this.#model) throw new Error("unreachable: a training round is open without a model");
    return this.#model.digest;
  }

  async #earlier(round: number, nodeId: string): Promise<UpdateEntry | undefined> {
    if (round > this.#round.number) return undefined;
    const entries = round === this.#round.number ? this.#entries : await this.#book.updates(round);
    return entries.find(({ participant }) => participant.nodeId === nodeId);
  }

  async #takeIn(update: ReceivedUpdate, entry: UpdateEntry, bytes: Uint8Array): Promise<UpdateReceipt> {
    await this.#writes.settled;
    // The record may have moved on while it was being written.
    this.#check(update);
    const { round, node } = update.metadata;
    const done = await this.#book.append(round, entry, bytes);
    if (!done.appended) return answerAgain(done.entry, entry, update.metadata);
    this.#entries.push(entry);
    this.#countUpdate(node);
    this.#round = markSent(this.#round, node);
    this.#replaceRecord({ ...this.#record(), status: this.#openStatus() });
    this.#news.progress();
    this.reconsider();
    return { task: this.task.id, round, node, digest: entry.participant.digest };
  }

  async #close(): Promise<void> {
    await this.#save();
    await Promise.allSettled(this.#pending.values());
    await this.#writes.untilDone(async () => {
      const { number, kind } = this.#round;
      const materials = { task: this.task, round: number, book: this.#book, heldOut: this.#heldOut };
      this.#entries = await this.#book.updates(number);
      const result =
        kind === "fit" || !this.#model
          ? await closeFit(materials, this.#entries)
          : await closeTrain(materials, this.#entries, this.#model);
      this.#replaceRecord(this.#closedRecord(result));
      await this.#book.save(this.#record());
      this.#model = result.model;
      this.#score = result.score ?? this.#score;
    });
    if (this.#stopped) return;
    this.#round = { ...this.#round, phase: "closed" };
    this.#tell();
    await this.#writes.untilDone(() => this.#beginNext());
    this.reconsider();
  }

  #closedRecord({ model, score, withheld }: RoundResult): RoundRecord {
    const record = this.#record();
    const seconds = Math.max(0, this.#deps.clock.wallMs() - (record.openedAtMs ?? 0)) / 1000;
    return {
      ...record,
      preprocessing: this.#round.kind === "fit" ? model.preprocessing : null,
      status: { ...this.#openStatus(), phase: "closed", seconds, score, model: model.digest, withheld },
    };
  }

  async #beginNext(): Promise<void> {
    if (this.finished) return;
    const number = this.#round.number + 1;
    const record = newRoundRecord(this.task, number);
    await this.#book.begin(record);
    this.#records.push(record);
    this.#entries = [];
    // Training begins as soon as the statistics are there.
    const intervalMs = number === 1 ? 0 : this.task.rules.roundIntervalSecs * 1000;
    this.#round = newRound(number, this.#openedMs + intervalMs);
  }

  /** Counts a refused update in the open round and for its sender. */
  reject(member: Member, error: AstroScaleError): void {
    member.rejected += 1;
    const { status } = this.#record();
    const rejected = { ...status.rejected, [error.code]: (status.rejected[error.code] ?? 0) + 1 };
    if (status.phase !== "closed")
      this.#replaceRecord({ ...this.#record(), status: { ...status, rejected } });
    const { nodeId, name } = member;
    const { code, message } = error;
    this.#deps.feed.publish({ kind: "update-rejected", task: this.task.id, nodeId, name, code, message });
  }

  /** Counts bytes served to nodes of the open round. */
  countServed(bytes: number): void {
    const { status } = this.#record();
    if (status.phase === "closed") return;
    this.#replaceRecord({ ...this.#record(), status: { ...status, bytesDown: status.bytesDown + bytes } });
  }

  /**
   * The global model after `round` (the newest when not given) and its digest.
   *
   * @throws {AstroScaleError} `not_found` when that round has made none yet
   */
  async modelFile(round?: number): Promise<{ bytes: Uint8Array<ArrayBuffer>; digest: string }> {
    const digest = round === undefined ? this.#model?.digest : this.#records[round]?.status.model;
    if (!digest) {
      const wanted = round === undefined ? "no round has closed" : `round ${round} has not closed`;
      throw new AstroScaleError("not_found", `task ${this.task.id} has no such model yet: ${wanted}`);
    }
    return { bytes: await this.#book.file(digest), digest };
  }

  roundStatus(): RoundStatus {
    return this.#record().status;
  }

  rounds(): RoundStatus[] {
    return this.#records.map(({ status }) => status);
  }

  status(): TaskStatus {
    const nodes = this.#present.length;
    const reason = this.finished ? null : waitingReason(this.#round, nodes, this.task.rules);
    return {
      task: this.task,
      state: this.finished ? "finished" : reason === null ? "running" : "waiting",
      reason,
      round: this.#round.number,
      nodes,
      score: this.#score,
      central: this.#deps.centralScore(),
    };
  }

  /** Ends all waiting; resolves when what was begun is on disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#writes.stop();
    this.#waitingRoom.wake();
    await Promise.allSettled([...this.#pending.values(), this.#writes.settled]);
  }
}
