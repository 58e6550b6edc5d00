// A coordinator whose catalogs are cut into as many shards as the benchmark has nodes, so that all can take part.
import { loadConfig } from "../coordinator/config.ts";
import { startCoordinator } from "../coordinator/server.ts";
import { answerParent } from "./processes/child-program.ts";

/** What the parent asks for. */
export interface CoordinatorWish {
  readonly dataDirectory: string;
  readonly shards: number;
}

/** Where it answers, and the token that adds tasks. */
export interface CoordinatorAddress {
  readonly url: string;
  readonly adminToken: string;
}

answerParent(async (message): Promise<CoordinatorAddress> => {
  const config = loadConfig({}, { ...(message as CoordinatorWish), port: 0, pagesDirectory: null });
  const { url, adminToken } = await startCoordinator(config);
  if (adminToken === null) throw new Error("the benchmark's coordinator needs a new directory");
  return { url, adminToken };
});
