import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeFileSlot } from "../../../../client/edge/file-session-slot.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "astroscale-slot-"));
});

afterEach(() => rm(folder, { recursive: true }));

const OWNER = { coordinator: "http://127.0.0.1:8081", name: "edge-1" };
const SESSION = {
  ...OWNER,
  nodeId: "0123456789abcdef",
  token: "t".repeat(32),
  task: "sdss-class",
  heartbeatSecs: 5,
};

/** Replaces the holder in the only lock of the folder. */
async function holdAs(pid: number): Promise<void> {
  const [lock = ""] = (await readdir(folder)).filter((name) => name.endsWith(".pid"));
  await writeFile(join(folder, lock), String(pid));
}

/** The id of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? 0;
}

test("a session is found again under its coordinator and name, and under no other", async () => {
  const slot = await takeFileSlot(folder, OWNER);
  await slot.save(SESSION);
  await slot.release();

  expect(await (await takeFileSlot(folder, OWNER)).load()).toEqual(SESSION);
  expect(await (await takeFileSlot(folder, { ...OWNER, name: "edge-2" })).load()).toBeNull();
  const elsewhere = { ...OWNER, coordinator: "http://127.0.0.1:8082" };
  expect(await (await takeFileSlot(folder, elsewhere)).load()).toBeNull();
});

test("the place of a process that was killed is taken over, with its session", async () => {
  await (await takeFileSlot(folder, OWNER)).save(SESSION);
  await holdAs(await endedPid());
  expect(await (await takeFileSlot(folder, OWNER)).load()).toEqual(SESSION);
});

test("the place of a process that lives is not shared: the second node is a new one and leaves the first alone", async () => {
  await (await takeFileSlot(folder, OWNER)).save(SESSION);
  await holdAs(process.ppid);
  const second = await takeFileSlot(folder, OWNER);
  expect(await second.load()).toBeNull();
  await second.clear();
  await second.release();
  await holdAs(await endedPid());
  expect(await (await takeFileSlot(folder, OWNER)).load()).toEqual(SESSION);
});

test("a cleared session is gone, and a damaged one counts as none", async () => {
  const slot = await takeFileSlot(folder, OWNER);
  await slot.save(SESSION);
  await slot.clear();
  expect(await slot.load()).toBeNull();
  await slot.save(SESSION);
  const [file = ""] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  await writeFile(join(folder, file), '{"nodeId":');
  expect(await slot.load()).toBeNull();
});

test.skipIf(process.platform === "win32")("only its owner can read the token", async () => {
  await (await takeFileSlot(folder, OWNER)).save(SESSION);
  const [file = ""] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  expect((await stat(join(folder, file))).mode & 0o077).toBe(0);
});
