import { expect, test } from "vitest";
import { findChromium } from "../../../../coordinator/headless/browser/chromium.ts";
import { chromiumFlags, type GpuMode } from "../../../../coordinator/headless/browser/chromium-flags.ts";
import {
  ensureChromium,
  installWays,
  streamProgram,
} from "../../../../coordinator/headless/browser/chromium-install.ts";
import type { Machine } from "../../../../coordinator/headless/browser/machine.ts";

const OWN = "/home/u/.cache/ms-playwright/chromium-1/chrome";

/** A machine with these programs, of which the broken ones do not start. */
function machine(
  programs: readonly string[],
  traits: Partial<Machine> & { broken?: string[] } = {},
): Machine {
  const { broken = [], ...rest } = traits;
  return {
    platform: "linux",
    env: { PATH: "/usr/local/bin:/usr/bin" },
    isRoot: false,
    exists: (path) => programs.includes(path),
    starts: async (path) => !broken.includes(path),
    playwrightChromium: async () => OWN,
    ...rest,
  };
}

test("ASTROSCALE_CHROMIUM comes before every other browser", async () => {
  const env = { ASTROSCALE_CHROMIUM: "/opt/mine" };
  expect(await findChromium(machine(["/opt/mine", OWN, "/usr/bin/chromium"], { env }))).toBe("/opt/mine");
});

test("an ASTROSCALE_CHROMIUM that is not there or does not start is an error, not another browser", async () => {
  const env = { ASTROSCALE_CHROMIUM: "/opt/mine" };
  const missing = {
    code: "chromium_missing",
    message: "ASTROSCALE_CHROMIUM is /opt/mine, which does not exist",
  };
  await expect(findChromium(machine([OWN], { env }))).rejects.toMatchObject(missing);
  const broken = {
    code: "chromium_missing",
    message: "ASTROSCALE_CHROMIUM is /opt/mine, which does not start",
  };
  const machineWithBroken = machine(["/opt/mine", OWN], { env, broken: ["/opt/mine"] });
  await expect(findChromium(machineWithBroken)).rejects.toMatchObject(broken);
});

test("Playwright's own browser comes before the system's", async () => {
  expect(await findChromium(machine([OWN, "/usr/bin/chromium"]))).toBe(OWN);
});

test.each<[string, Partial<Machine>, string[]]>([
  ["linux", {}, ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/microsoft-edge"]],
  [
    "linux with an unusual PATH",
    { env: { PATH: "/opt/x:relative" } },
    ["/opt/x/chromium", "/snap/bin/chromium", "/usr/local/bin/google-chrome"],
  ],
  [
    "darwin",
    { platform: "darwin", env: { HOME: "/Users/u" } },
    [
      "/Users/u/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ],
  ],
  [
    "win32",
    { platform: "win32", env: { PROGRAMFILES: "C:\\Program Files", LOCALAPPDATA: "C:\\Local" } },
    [
      "C:\\Local\\Chromium\\Application\\chrome.exe",
      "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
      "C:\\Program Files\\Microsoft\\Edge\\Application\\msedge.exe",
    ],
  ],
])(
  "on %s the system's Chromium comes before Chrome, and Chrome before Edge",
  async (_name, traits, paths) => {
    for (const [index, path] of paths.entries()) {
      expect(await findChromium(machine(paths.slice(index), traits))).toBe(path);
    }
    expect(await findChromium(machine([], traits))).toBeNull();
  },
);

test("a browser that does not start is passed over", async () => {
  const found = await findChromium(machine([OWN, "/usr/bin/chromium"], { broken: [OWN] }));
  expect(found).toBe("/usr/bin/chromium");
});

function titles(of: Machine): string[] {
  return installWays(of).map(({ title }) => title);
}

test("apt is a way only for root on Debian, and comes after Playwright's download", () => {
  const download = "npx playwright install chromium";
  expect(titles(machine([]))).toEqual([download]);
  expect(titles(machine(["/etc/debian_version"]))).toEqual([download]);
  expect(titles(machine([], { isRoot: true }))).toEqual([download]);
  expect(titles(machine(["/etc/debian_version"], { isRoot: true }))).toEqual([
    download,
    "apt-get install chromium",
  ]);
});

test("a machine with a browser installs nothing", async () => {
  const ran: string[] = [];
  const run = async (program: string): Promise<boolean> => ran.push(program) > 0;
  const found = await ensureChromium(machine(["/usr/bin/chromium"]), { report: () => undefined, run });
  expect(found).toBe("/usr/bin/chromium");
  expect(ran).toEqual([]);
});

test("when the download fails apt is asked, and its browser is found", async () => {
  const programs = ["/etc/debian_version"];
  const ran: string[] = [];
  const run = async (program: string, args: readonly string[]): Promise<boolean> => {
    ran.push([program === process.execPath ? "node" : program, ...args.slice(-2)].join(" "));
    if (program !== "apt-get") return false;
    if (args[0] === "install") programs.push("/usr/bin/chromium");
    return true;
  };
  const found = await ensureChromium(machine(programs, { isRoot: true }), { report: () => undefined, run });
  expect(found).toBe("/usr/bin/chromium");
  expect(ran).toEqual([
    "node install chromium",
    "apt-get update -q",
    "apt-get --no-install-recommends chromium",
  ]);
});

test("when nothing helps, the error says what was tried and what a person can do", async () => {
  const lines: string[] = [];
  const failing = { report: (line: string) => void lines.push(line), run: async () => false };
  await expect(ensureChromium(machine([]), failing)).rejects.toMatchObject({
    code: "chromium_missing",
    message: expect.stringMatching(
      /could not be installed by npx playwright install chromium; .*ASTROSCALE_CHROMIUM/,
    ),
  });
  expect(lines[0]).toBe("No Chromium found; installing one: npx playwright install chromium");
});

test("an installer's output is handed on line by line, without the stack of its failure", async () => {
  const lines: string[] = [];
  const run = streamProgram((line) => void lines.push(line), new AbortController().signal);
  const script = 'console.log("10%\\r20%\\n"); throw new Error("no such host")';
  expect(await run(process.execPath, ["-e", script])).toBe(false);
  expect(lines).toContain("  10%");
  expect(lines).toContain("  20%");
  expect(lines).toContain("  Error: no such host");
  expect(lines.filter((line) => /^\s+at /.test(line))).toEqual([]);
  expect(await run(process.execPath, ["-e", ""])).toBe(true);
  expect(await run("/no/such/installer", [])).toBe(false);
});

test("an interruption ends an installer that runs", async () => {
  const stop = new AbortController();
  const run = streamProgram(() => stop.abort(), stop.signal);
  expect(await run(process.execPath, ["-e", 'console.log("begun"); setInterval(() => {}, 1000)'])).toBe(
    false,
  );
});

test.each<[NodeJS.Platform, boolean, boolean]>([
  ["linux", true, true],
  ["linux", false, false],
  ["darwin", true, false],
])("only root on Linux gives up the sandbox: %s, root %s", (platform, isRoot, expected) => {
  const flags = chromiumFlags({ platform, isRoot }, "none", "https://sky.example");
  expect(flags.includes("--no-sandbox")).toBe(expected);
});

test.each<[GpuMode, NodeJS.Platform, string[]]>([
  ["none", "linux", []],
  ["device", "linux", ["--enable-unsafe-webgpu", "--enable-features=Vulkan"]],
  ["device", "darwin", ["--enable-unsafe-webgpu"]],
  ["swiftshader", "linux", ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]],
])("a browser of mode %s on %s has exactly these WebGPU flags", (gpu, platform, expected) => {
  const flags = chromiumFlags({ platform, isRoot: false }, gpu, "https://sky.example");
  expect(flags.filter((flag) => /webgpu|Vulkan/.test(flag))).toEqual(expected);
});

test("background pages are not throttled", () => {
  const flags = chromiumFlags({ platform: "linux", isRoot: false }, "none", "https://sky.example");
  expect(flags).toContain("--disable-background-timer-throttling");
  expect(flags).toContain("--disable-renderer-backgrounding");
});

test.each([
  ["http://coordinator:8081", ["--unsafely-treat-insecure-origin-as-secure=http://coordinator:8081"]],
  ["https://sky.example", []],
  ["http://127.0.0.1:8081", []],
  ["http://localhost:8081", []],
])("the pages of %s are in a secure context", (coordinator, expected) => {
  const flags = chromiumFlags({ platform: "linux", isRoot: false }, "none", coordinator);
  expect(flags.filter((flag) => flag.includes("insecure-origin"))).toEqual(expected);
});
