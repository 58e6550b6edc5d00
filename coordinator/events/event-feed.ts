import { randomBytes } from "node:crypto";
import type { CampaignEvent } from "../../protocol/events.ts";

/** An event and the SSE id under which a client may resume after it. */
export interface FeedEvent {
  readonly id: string;
  readonly event: CampaignEvent;
}

const KEPT_EVENTS = 2_000;

/**
 * The campaign's events, numbered, with the last ones kept so that a client that lost its connection misses
 * nothing. Ids begin with a word drawn at start: an id of an earlier run is never mistaken for one of this.
 */
export class EventFeed {
  readonly #run = randomBytes(4).toString("hex");
  readonly #kept: FeedEvent[] = [];
  readonly #listeners = new Set<(event: FeedEvent | null) => void>();
  #count = 0;

  publish(event: CampaignEvent): void {
    this.#count += 1;
    const entry = { id: `${this.#run}-${this.#count}`, event };
    this.#kept.push(entry);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    for (const listener of this.#listeners) listener(entry);
  }

  /**
   * Events after `lastEventId`; a single `reset` when the id is absent, of another run, or too old.
   *
   * @param lastEventId the `Last-Event-ID` header, if any
   */
  since(lastEventId: string | undefined): FeedEvent[] {
    const [run, number = ""] = (lastEventId ?? "").split("-");
    const seen = /^\d{1,15}$/.test(number) ? Number(number) : Number.NaN;
    const first = this.#count - this.#kept.length;
    if (run !== this.#run || !(seen >= first && seen <= this.#count)) {
      return [{ id: `${this.#run}-${this.#count}`, event: { kind: "reset" } }];
    }
    return this.#kept.slice(seen - first);
  }

  /**
   * Calls `listener` with every further event, and with `null` when the feed ends.
   *
   * @returns stops listening
   */
  listen(listener: (event: FeedEvent | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells every listener that nothing more will come. */
  end(): void {
    for (const listener of this.#listeners) listener(null);
    this.#listeners.clear();
  }
}
