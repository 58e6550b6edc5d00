import type { RoundStatus } from "../../protocol/rounds.ts";
import type { TaskStatus } from "../../protocol/tasks.ts";
import type { EventFeed } from "../events/event-feed.ts";
import type { Clock } from "./clock.ts";

/** What there is to tell of a task. */
export interface NewsSource {
  status(): TaskStatus;
  /** The newest round. */
  roundStatus(): RoundStatus;
}

const PROGRESS_MS = 200;

/** Tells the event feed of a task's rounds. */
export class RoundNews {
  readonly #feed: EventFeed;
  readonly #clock: Clock;
  readonly #source: NewsSource;
  #isDue = false;

  constructor(feed: EventFeed, clock: Clock, source: NewsSource) {
    this.#feed = feed;
    this.#clock = clock;
    this.#source = source;
  }

  /** Tells of a step of the round, at once. */
  step(): void {
    this.#feed.publish({ kind: "round", round: this.#source.roundStatus() });
    this.#feed.publish({ kind: "task", task: this.#source.status() });
  }

  /** Tells of updates that came in, not of each: a thousand may come at once, and everyone listens. */
  progress(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(PROGRESS_MS, () => {
      this.#isDue = false;
      this.#feed.publish({ kind: "round", round: this.#source.roundStatus() });
    });
  }
}
