import { tableFromArrays, tableToIPC } from "apache-arrow";
import { FakeCoordinator, sha256 } from "../unit/client/node/fake-coordinator.ts";
// oxlint-disable-next-line import/no-unassigned-import -- a worker's script is run, not called
import "../../client/worker/node-worker.ts";

const realFetch = globalThis.fetch;
const ROWS = 96;
const mag = Float32Array.from({ length: ROWS }, (_, r) => (r / ROWS) * 2 - 1);
const distance = mag.map((value) => 3 * value + 1);
const stream = Uint8Array.from(tableToIPC(tableFromArrays({ mag, distance }), "stream"));

const coordinator = sha256(stream).then((etag) => {
  const shard = { catalog: "sky", id: "p0", rows: ROWS, bytes: stream.length, etag };
  return new FakeCoordinator(shard, stream);
});

/** The node's own worker with a coordinator in place of the network; `waiting.test` has no plan for anybody. */
globalThis.fetch = async (input, init = {}) => {
  const url = input instanceof Request ? input.url : String(input);
  const { hostname } = new URL(url, location.href);
  // The kernels come from where the page comes from.
  if (!hostname.endsWith(".test")) return realFetch(input, init);
  const fake = await coordinator;
  fake.intercept = ({ path }) =>
    hostname === "waiting.test" && path === "/federated/plan"
      ? Response.json({ retryAfterSecs: 60, reason: "1 of 2 nodes", finished: false }, { status: 202 })
      : null;
  return fake.fetch(url, init);
};
