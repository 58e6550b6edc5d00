import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RoundStatus } from "../../protocol/rounds.ts";
import { CoordinatorProcess, freePort } from "../support/coordinator-process.ts";
import { ProtocolNode, type Request } from "../support/protocol-node.ts";

test("SIGTERM answers those who wait, ends within 5 s with 0, and the next start goes on", async () => {
  const directory = await mkdtemp(join(tmpdir(), "astroscale-stop-"));
  const coordinator = new CoordinatorProcess(await freePort(), directory);
  const request: Request = (path, init) => fetch(coordinator.url + path, init);
  await coordinator.start();
  const [a, b] = [await ProtocolNode.join(request, "a"), await ProtocolNode.join(request, "b")];
  await a.work();
  const events = await request("/federated/events");
  const reading = events.text().catch(() => "cut");
  const waiting = a.plan(25);

  const startMs = performance.now();
  expect(await coordinator.stop()).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(5_000);
  expect(await waiting).toMatchObject({ finished: false });
  await reading;

  await coordinator.start();
  expect(await b.work()).toMatchObject({ round: 0 });
  await a.plan(20);
  const round = RoundStatus.parse(await (await request("/federated/rounds/0")).json());
  expect(round).toMatchObject({ phase: "closed", participants: [{}, {}] });
  expect(await coordinator.stop()).toBe(0);
  await rm(directory, { recursive: true });
});
