import { CampaignEvent } from "../../protocol/events.ts";

/** When a task's rounds closed, as its event stream told. */
export interface RoundWatch {
  /** The moment the closing of `round` arrived, on `performance.now`'s clock; waits for it. */
  closed(round: number): Promise<number>;
  end(): void;
}

/** Listens to a coordinator's events for `task`, from now on. */
export function watchRounds(url: string, task: string): RoundWatch {
  const closedMs = new Map<number, number>();
  const listeners = new Set<() => void>();
  const control = new AbortController();
  const failed = follow(url, control.signal, (event) => {
    if (event.kind !== "round" || event.round.task !== task || event.round.phase !== "closed") return;
    closedMs.set(event.round.round, performance.now());
    for (const listener of listeners) listener();
  });
  failed.catch(() => {});
  return {
    closed: (round) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const ms = closedMs.get(round);
          if (ms === undefined) return;
          listeners.delete(look);
          resolve(ms);
        };
        listeners.add(look);
        look();
        failed.catch(reject);
      }),
    end: () => control.abort(),
  };
}

/** Calls `onEvent` with every event until `signal`. Source: HTML, section 9.2, "Server-sent events". */
async function follow(
  url: string,
  signal: AbortSignal,
  onEvent: (event: CampaignEvent) => void,
): Promise<void> {
  const { body } = await fetch(`${url}/federated/events`, { signal });
  if (!body) throw new Error("the event stream has no body");
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data !== undefined) onEvent(CampaignEvent.parse(JSON.parse(data)));
    }
  }
  throw new Error("the event stream ended");
}
