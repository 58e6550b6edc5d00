import { expect, test } from "vitest";
import { takeSessionSlot } from "../../client/node/coordinator/session.ts";

const SESSION = {
  coordinator: "http://one.test",
  name: "a tab",
  nodeId: "00000000000000aa",
  token: "t".repeat(32),
  task: "distances",
  heartbeatSecs: 10,
};

test("a session outlives its tab and is found by the next", async () => {
  const first = await takeSessionSlot("http://one.test");
  await first.save(SESSION);
  await first.release();
  const next = await takeSessionSlot("http://one.test");
  expect(await next.load()).toEqual(SESSION);
  await next.clear();
  expect(await next.load()).toBeNull();
  await next.release();
});

test("two tabs at once are two nodes, and the first place is free again when its tab has gone", async () => {
  const first = await takeSessionSlot("http://two.test");
  const second = await takeSessionSlot("http://two.test");
  await first.save(SESSION);
  expect(await second.load()).toBeNull();
  await first.release();
  const third = await takeSessionSlot("http://two.test");
  expect(await third.load()).toEqual(SESSION);
  await third.clear();
  await second.release();
  await third.release();
});

test("nodes of two coordinators do not share a place", async () => {
  const one = await takeSessionSlot("http://three.test");
  await one.save(SESSION);
  const other = await takeSessionSlot("http://four.test");
  expect(await other.load()).toBeNull();
  await one.clear();
  await one.release();
  await other.release();
});
