import { type ReadonlySignal, signal } from "@preact/signals";
import { CampaignEvent } from "../../../protocol/events.ts";
import { type Fetch, readRounds, readStatus } from "../campaign-api.ts";
import { baselineTask, selectedCampaign } from "../campaign-figures.ts";
import {
  afterEvent,
  afterRounds,
  afterStatus,
  type DashboardState,
  NOTHING_KNOWN,
} from "../dashboard-state.ts";

/** The world of a feed; a test puts its own in place. */
export interface FeedDependencies {
  readonly fetch: Fetch;
  readonly openEvents: (path: string) => EventSource;
  readonly nowMs: () => number;
  /** Calls back once after `delayMs`. */
  readonly later: (callback: () => void, delayMs: number) => void;
}

/** What the dashboard needs of the world. */
export interface DashboardDependencies extends FeedDependencies {
  /** The task named in the address, or `null`. */
  readonly task: string | null;
  /** Notes the chosen task in the address, so that the page can be passed on. */
  readonly onChoose: (task: string) => void;
}

/** `live` while events arrive, `lost` while the connection is being tried again. */
export type Connection = "connecting" | "live" | "lost";

/** What the dashboard reads and does. */
export interface CampaignFeed {
  readonly state: ReadonlySignal<DashboardState>;
  readonly connection: ReadonlySignal<Connection>;
  /** Why reading failed, in words; `null` while all is well. */
  readonly problem: ReadonlySignal<string | null>;
  /** The task asked for; `null` lets the dashboard choose. */
  readonly chosen: ReadonlySignal<string | null>;
  choose(task: string): void;
  close(): void;
}

/** Many nodes report at once; one repaint for all that came within this time. */
const GATHER_MS = 80;
const RETRY_MS = 4000;
const EVENT_KINDS = ["task", "round", "node", "node-left", "update-rejected", "reset"] as const;

/** Follows `GET /federated/events` and reads anew what a `reset` leaves unknown. */
export function openCampaignFeed(dependencies: FeedDependencies, firstChoice: string | null): CampaignFeed {
  return new Feed(dependencies, firstChoice);
}

/**
 * Events that arrive while an answer is on its way are kept and applied after it. Each event carries the whole
 * of its task, round or node, so one that the answer already knew of does no harm.
 */
class Feed implements CampaignFeed {
  readonly state = signal(NOTHING_KNOWN);
  readonly connection = signal<Connection>("connecting");
  readonly problem = signal<string | null>(null);
  readonly chosen = signal<string | null>(null);
  readonly #world: FeedDependencies;
  #events: EventSource | null = null;
  #waiting: CampaignEvent[] = [];
  #flushing = false;
  #reading = 0;
  /** Grows with every `reset`: an answer to an older question is dropped. */
  #generation = 0;
  #closed = false;

  constructor(world: FeedDependencies, firstChoice: string | null) {
    this.#world = world;
    this.chosen.value = firstChoice;
    this.#connect();
  }

  choose(task: string): void {
    this.chosen.value = task;
    this.#readMissingRounds();
  }

  close(): void {
    this.#closed = true;
    this.#events?.close();
  }

  #connect(): void {
    if (this.#closed) return;
    const events = this.#world.openEvents("/federated/events");
    this.#events = events;
    events.addEventListener("open", () => {
      this.connection.value = "live";
    });
    events.addEventListener("error", () => this.#onLost(events));
    for (const kind of EVENT_KINDS) {
      events.addEventListener(kind, (message: MessageEvent<string>) => this.#onMessage(message.data));
    }
  }

  #onLost(events: EventSource): void {
    this.connection.value = "lost";
    // An EventSource retries a broken connection by itself, but gives up for good on an answer that is no stream.
    if (events.readyState === events.CLOSED) this.#world.later(() => this.#connect(), RETRY_MS);
  }

  #onMessage(data: string): void {
    const event = CampaignEvent.parse(JSON.parse(data));
    if (event.kind === "reset") {
      this.#generation++;
      this.#waiting = [];
      void this.#readEverything(this.#generation);
      return;
    }
    this.#waiting.push(event);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#world.later(() => {
      this.#flushing = false;
      this.#flush();
    }, GATHER_MS);
  }

  #flush(): void {
    if (this.#reading > 0 || this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    const nowMs = this.#world.nowMs();
    this.state.value = events.reduce((state, event) => afterEvent(state, event, nowMs), this.state.value);
    this.#readMissingRounds();
  }

  async #readEverything(generation: number): Promise<void> {
    await this.#whileHoldingEvents(async () => {
      const status = await readStatus(this.#world.fetch);
      if (generation !== this.#generation) return;
      const state = afterStatus({ ...this.state.value, rounds: new Map() }, status);
      const lists = await Promise.all(this.#shown(state).map((task) => readRounds(this.#world.fetch, task)));
      if (generation === this.#generation) this.state.value = lists.reduce(afterRounds, state);
    }, generation);
  }

  /** A campaign chosen later, or one that appeared since: its history was not read with the others. */
  #readMissingRounds(): void {
    const generation = this.#generation;
    for (const task of this.#shown(this.state.value)) {
      if (this.state.value.rounds.has(task) || this.#reading > 0) continue;
      void this.#whileHoldingEvents(async () => {
        const list = await readRounds(this.#world.fetch, task);
        if (generation === this.#generation) this.state.value = afterRounds(this.state.value, list);
      }, generation);
    }
  }

  /** Ids of the campaign on show and of its centralised run. */
  #shown(state: DashboardState): readonly string[] {
    const campaign = selectedCampaign(state, this.chosen.value)?.task.id;
    if (campaign === undefined) return [];
    const baseline = baselineTask(state, campaign)?.task.id;
    return baseline === undefined ? [campaign] : [campaign, baseline];
  }

  async #whileHoldingEvents(read: () => Promise<void>, generation: number): Promise<void> {
    this.#reading++;
    let failed = false;
    try {
      await read();
      this.problem.value = null;
    } catch (error) {
      failed = true;
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
    this.#reading--;
    if (failed) this.#world.later(() => this.#retry(generation), RETRY_MS);
    else if (this.#reading === 0) {
      this.#flush();
      this.#readMissingRounds();
    }
  }

  #retry(generation: number): void {
    if (!this.#closed && generation === this.#generation) void this.#readEverything(generation);
  }
}
