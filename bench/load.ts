// Calls a coordinator at a fixed rate, whether it keeps up or not, and tells how long each call took.
import { Agent, request } from "node:http";
import type { Heartbeat } from "../protocol/nodes.ts";
import { answerParent } from "./processes/child-program.ts";

/** A call of the coordinator, as `METHOD /path`. */
export interface LoadTarget {
  readonly call: string;
  readonly url: string;
}

/** How much load, and for whom: targets take turns, and so do nodes. */
export interface LoadWish {
  readonly targets: readonly LoadTarget[];
  readonly tokens: readonly string[];
  readonly callsEach: number;
  readonly callsPerSecond: number;
}

/** For every target, milliseconds from sending to the last byte of the answer. */
export interface LoadAnswer {
  readonly ms: readonly (readonly number[])[];
}

const PATIENCE_MS = 10_000;

/** One call. @throws on any answer that is not 2xx, and after ten seconds */
function send({ call, url }: LoadTarget, token: string, agent: Agent): Promise<number> {
  const [method = "", path = ""] = call.split(" ");
  const heartbeat: Heartbeat = { state: "training", backend: "wasm", examplesPerSecond: Math.random() };
  const body = method === "POST" ? JSON.stringify(heartbeat) : undefined;
  const headers = {
    Authorization: `Bearer ${token}`,
    "Accept-Encoding": "gzip",
    ...(body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length }),
  };
  return new Promise((resolve, reject) => {
    const sentMs = performance.now();
    const sending = request(url + path, { method, headers, agent, timeout: PATIENCE_MS }, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on("error", reject);
      response.on("end", () => {
        if (statusCode >= 200 && statusCode < 300) resolve(performance.now() - sentMs);
        else reject(new Error(`${call} answered ${statusCode}`));
      });
    });
    sending.on("timeout", () => sending.destroy(new Error(`${call}: no answer in ${PATIENCE_MS} ms`)));
    sending.on("error", reject);
    sending.end(body);
  });
}

async function load({ targets, tokens, callsEach, callsPerSecond }: LoadWish): Promise<LoadAnswer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers: Promise<number>[][] = targets.map(() => []);
  const startMs = performance.now();
  const callsInAll = callsEach * targets.length;
  for (let calls = 0; calls < callsInAll; ) {
    const due = Math.min(((performance.now() - startMs) / 1000) * callsPerSecond, callsInAll);
    for (; calls < due; calls++) {
      const turn = Math.floor(calls / targets.length);
      const target = targets[calls % targets.length];
      if (!target) break;
      const answer = send(target, tokens[turn % tokens.length] ?? "", agent);
      // Rejections are heard at the end, all together.
      answer.catch(() => {});
      answers[calls % targets.length]?.push(answer);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const ms = await Promise.all(answers.map((all) => Promise.all(all)));
  agent.destroy();
  return { ms };
}

answerParent((message) => load(message as LoadWish));
