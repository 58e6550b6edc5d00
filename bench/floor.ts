// The least a server in Node can do: what the machine, its other work and the load's own process cost.
import { once } from "node:events";
import { createServer } from "node:http";
import { answerParent } from "./processes/child-program.ts";

/** Where it answers. */
export interface FloorAddress {
  readonly url: string;
}

answerParent(async (): Promise<FloorAddress> => {
  const server = createServer((_request, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}` };
});
