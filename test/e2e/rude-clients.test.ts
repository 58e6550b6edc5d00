import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../coordinator/config.ts";
import { type RunningCoordinator, startCoordinator } from "../../coordinator/server.ts";
import { RoundStatus } from "../../protocol/rounds.ts";
import { ProtocolNode, type Request } from "../support/protocol-node.ts";

let coordinator: RunningCoordinator;
let directory: string;
let port: number;
const request: Request = (path, init) => fetch(coordinator.url + path, init);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "astroscale-rude-"));
  const overrides = { port: 0, dataDirectory: directory, pagesDirectory: null, logLevel: "silent" };
  coordinator = await startCoordinator(loadConfig({}, overrides));
  port = Number(new URL(coordinator.url).port);
});
afterAll(async () => {
  await coordinator.close();
  await rm(directory, { recursive: true });
});

async function openSocket(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends `drip` again and again. @returns milliseconds until the coordinator closed the socket */
async function dripUntilClosed(socket: Socket, begin: string, drip: string): Promise<number> {
  const startMs = performance.now();
  socket.write(begin);
  socket.resume();
  const timer = setInterval(() => socket.write(drip), 500);
  await once(socket, "close");
  clearInterval(timer);
  return performance.now() - startMs;
}

describe("a coordinator with rude clients", () => {
  test("closes 200 connections that never finish their headers, and answers others meanwhile", async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, openSocket));
    const closing = sockets.map((socket) =>
      dripUntilClosed(socket, "GET / HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n"),
    );
    for (let n = 0; n < 20; n++) expect((await request("/health")).status).toBe(200);
    expect(Math.max(...(await Promise.all(closing)))).toBeLessThan(10_000);
  });

  test("closes a connection that sends its body a byte at a time", async () => {
    const head =
      "POST /federated/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
    expect(await dripUntilClosed(await openSocket(), head, " ")).toBeLessThan(40_000);
  });

  test("answers 413 to an endless chunked body after little more than its limit", async () => {
    const node = await ProtocolNode.join(request);
    const headers = {
      Authorization: `Bearer ${node.token}`,
      "Content-Type": "application/vnd.safetensors",
      "Idempotency-Key": "endless",
    };
    const call = httpRequest(`${coordinator.url}/federated/update`, { method: "POST", headers });
    call.on("error", () => {});
    const answered = once(call, "response");
    let sent = 0;
    const chunk = Buffer.alloc(16 * 1024);
    const timer = setInterval(() => {
      sent += chunk.length;
      call.write(chunk);
    }, 2);
    const [response] = await answered;
    clearInterval(timer);
    expect(response.statusCode).toBe(413);
    // The default task's limit is about 78 KB; a few chunks are under way when the answer comes.
    expect(sent).toBeLessThan(1024 * 1024);
    call.destroy();
  });

  test("counts nothing of an update that breaks off, and takes it when it comes whole", async () => {
    const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
    const plan = await a.plan(5);
    if (!("kind" in plan)) throw new Error(plan.reason);
    const update = a.update(plan);
    const socket = await openSocket();
    socket.write(
      `POST /federated/update HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${a.token}\r\nIdempotency-Key: ${update.key}\r\n` +
        `Content-Type: application/vnd.safetensors\r\nContent-Length: ${update.bytes.length}\r\n\r\n`,
    );
    socket.write(update.bytes.subarray(0, Math.floor(update.bytes.length * 0.99)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();

    const open = RoundStatus.parse(await (await request(`/federated/rounds/${plan.round}`)).json());
    expect(open.participants).toEqual([]);
    // The slot is free as soon as the coordinator has seen the reset.
    let answer = await a.send(update);
    for (let tries = 0; answer.status === 409 && tries < 50; tries++) answer = await a.send(update);
    expect(answer.status).toBe(202);
    await b.plan();
  });

  test("says plainly that its port is taken", async () => {
    const other = await mkdtemp(join(tmpdir(), "astroscale-port-"));
    const config = loadConfig({}, { port, dataDirectory: other, pagesDirectory: null, logLevel: "silent" });
    await expect(startCoordinator(config)).rejects.toMatchObject({ code: "port_in_use" });
    await rm(other, { recursive: true });
  });

  test("says plainly that its data directory is in use", async () => {
    const config = loadConfig(
      {},
      { port: 0, dataDirectory: directory, pagesDirectory: null, logLevel: "silent" },
    );
    await expect(startCoordinator(config)).rejects.toMatchObject({ code: "store_unavailable" });
  });
});
