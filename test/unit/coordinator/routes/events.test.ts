import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventFeed } from "../../../../coordinator/events/event-feed.ts";
import { CampaignEvent } from "../../../../protocol/events.ts";
import { ProtocolNode, type Request } from "../../../support/protocol-node.ts";
import { openTestCoordinator, type TestCoordinator } from "../../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
const request: Request = async (path, init) => coordinator.app.request(path, init);

beforeEach(async () => {
  coordinator = await openTestCoordinator();
});
afterEach(() => coordinator.dispose());

interface Frame {
  readonly id: string;
  readonly event: CampaignEvent;
}

/** Reads frames until one satisfies `last`. */
async function framesUntil(response: Response, last: (event: CampaignEvent) => boolean): Promise<Frame[]> {
  const frames: Frame[] = [];
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const fields = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      if (fields["data"] === undefined) continue;
      const event = CampaignEvent.parse(JSON.parse(fields["data"]));
      expect(fields["event"]).toBe(event.kind);
      frames.push({ id: String(fields["id"]), event });
      if (last(event)) return frames;
    }
  }
  throw new Error("the stream ended");
}

describe("the event stream", () => {
  test("begins with reset and then tells what happens", async () => {
    const response = await request("/federated/events");
    expect(response.headers.get("Content-Type")).toBe("text/event-stream");
    const frames = framesUntil(response, (event) => event.kind === "round" && event.round.phase === "closed");
    const a = await ProtocolNode.join(request, "a");
    const b = await ProtocolNode.join(request, "b");
    await a.work();
    await b.work();
    const kinds = (await frames).map(({ event }) => event.kind);
    expect(kinds[0]).toBe("reset");
    expect(kinds.filter((kind) => kind === "node")).toHaveLength(2);
    expect(kinds).toContain("task");
  });

  test("goes on after Last-Event-ID without a gap", async () => {
    await ProtocolNode.join(request, "a");
    const isNode = (name: string) => (event: CampaignEvent) =>
      event.kind === "node" && event.node.name === name;
    const first = framesUntil(await request("/federated/events"), isNode("b"));
    await ProtocolNode.join(request, "b");
    const last = (await first).at(-1);
    await ProtocolNode.join(request, "c");
    const resumed = await request("/federated/events", { headers: { "Last-Event-ID": last?.id ?? "" } });
    const frames = await framesUntil(resumed, isNode("c"));
    expect(frames.map(({ event }) => event.kind)).not.toContain("reset");
    expect(frames.every(({ event }) => !isNode("b")(event))).toBe(true);
  });

  test.each(["", "nonsense", "00000000-5", "-1"])("resets a client whose Last-Event-ID is %j", async (id) => {
    const response = await request("/federated/events", { headers: { "Last-Event-ID": id } });
    expect(await framesUntil(response, () => true)).toMatchObject([{ event: { kind: "reset" } }]);
  });

  test("keeps only so many events, and resets who asks for older ones", () => {
    const feed = new EventFeed();
    feed.publish({ kind: "node-left", nodeId: "0".repeat(16) });
    const oldest = feed.since(undefined)[0]?.id;
    for (let n = 0; n < 2_500; n++) feed.publish({ kind: "node-left", nodeId: "1".repeat(16) });
    expect(feed.since(oldest).map(({ event }) => event.kind)).toEqual(["reset"]);
    const newest = feed.since(undefined)[0]?.id;
    expect(feed.since(newest)).toEqual([]);
  });
});
