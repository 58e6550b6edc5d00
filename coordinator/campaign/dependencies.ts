import type { Score } from "../../protocol/tasks.ts";
import type { CatalogSource } from "../catalogs/catalog.ts";
import type { EventFeed } from "../events/event-feed.ts";
import type { Log } from "../observability/log.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import type { Members } from "./members.ts";

interface Surroundings {
  readonly store: Store;
  readonly clock: Clock;
  readonly feed: EventFeed;
  readonly log: Log;
}

/** What a campaign works with. */
export interface CampaignDependencies extends Surroundings {
  readonly catalogs: readonly CatalogSource[];
}

/** What one task's runner works with. */
export interface RunnerDependencies extends Surroundings {
  readonly members: Members;
  readonly source: CatalogSource;
  /** Final score of the centralised run beside this task, when there is one. */
  readonly centralScore: () => Score | null;
}
