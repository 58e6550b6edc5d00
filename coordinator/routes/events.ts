import { Hono } from "hono";
import type { EventFeed, FeedEvent } from "../events/event-feed.ts";

/** Keeps proxies from closing a quiet stream. */
const KEEP_ALIVE_MS = 15_000;
/** A listener that lags behind by more than this is dropped; it resumes with `Last-Event-ID`. */
const BACKLOG_BYTES = 1 << 20;

const encoder = new TextEncoder();

/** Frames as they are sent, made once for all listeners. */
const frames = new WeakMap<FeedEvent, Uint8Array>();

function frame(entry: FeedEvent): Uint8Array {
  const { id, event } = entry;
  const bytes =
    frames.get(entry) ??
    encoder.encode(`id: ${id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  frames.set(entry, bytes);
  return bytes;
}

/** The campaign's events as Server-Sent Events from `lastEventId` on, until the client goes. */
function eventStream(feed: EventFeed, lastEventId: string | undefined): ReadableStream<Uint8Array> {
  let end = (): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const close = (): void => {
          end();
          controller.close();
        };
        const send = (bytes: Uint8Array): void => {
          controller.enqueue(bytes);
          if ((controller.desiredSize ?? 0) < 0) close();
        };
        const stopListening = feed.listen((event) => (event ? send(frame(event)) : close()));
        const timer = setInterval(() => send(encoder.encode(": still here\n\n")), KEEP_ALIVE_MS);
        timer.unref();
        end = () => {
          stopListening();
          clearInterval(timer);
        };
        send(encoder.encode("retry: 1000\n\n"));
        for (const event of feed.since(lastEventId)) send(frame(event));
      },
      cancel() {
        end();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BACKLOG_BYTES }),
  );
}

/** `GET /federated/events`. */
export function eventRoutes(feed: EventFeed): Hono {
  return new Hono().get("/events", (c) => {
    c.header("Content-Type", "text/event-stream");
    c.header("Cache-Control", "no-store");
    c.header("X-Accel-Buffering", "no");
    return c.body(eventStream(feed, c.req.header("Last-Event-ID")));
  });
}
