import { expect, test } from "vitest";
import { failureLines } from "../../../../coordinator/commands/process/failure.ts";
import { runCli } from "../../../../coordinator/commands/program.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...words: string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    print: (line: string) => void out.push(line),
    complain: (line: string) => void err.push(line),
    progress: (): void => undefined,
  };
  const code = await runCli(words, { terminal, env: {} });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

test("--help lists the commands that exist and no other", async () => {
  const { code, out } = await run("--help");
  expect(code).toBe(0);
  const commands = [...out.matchAll(/^ {2}([a-z-]+) .*/gm)].map(([, name]) => name);
  expect(commands).toEqual(["start", "nodes", "status", "evaluate", "demo", "browser", "help"]);
});

test.each(["start", "nodes", "status", "evaluate", "demo"])(
  "%s --help explains its options",
  async (command) => {
    const { code, out, err } = await run(command, "--help");
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toContain(`astroscale ${command} [options]`);
    expect(out.match(/^ {2}-/gm)?.length).toBeGreaterThanOrEqual(3);
  },
);

test("--version is the package's", async () => {
  const { code, out } = await run("--version");
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+$/);
});

const URL_OPTION = ["--coordinator", "http://127.0.0.1:9"];

test.each<[string, string[], RegExp]>([
  ["an unknown command", ["launch"], /unknown command 'launch'/],
  ["an unknown option", ["status", "--verbose"], /unknown option '--verbose'/],
  ["a word too many", ["status", "now"], /too many arguments/],
  ["a missing option", ["nodes", "--count", "2"], /required option '--coordinator <url>' not specified/],
  ["no number of nodes", ["nodes", ...URL_OPTION], /required option '--count <number>' not specified/],
  [
    "zero nodes",
    ["nodes", ...URL_OPTION, "--count", "0"],
    /'0' is invalid. wanted a whole number from 1 to 256/,
  ],
  ["a fraction", ["nodes", ...URL_OPTION, "--count", "1.5"], /wanted a whole number/],
  ["a number with a tail", ["demo", "--rounds", "3x"], /wanted a whole number from 1 to 1000/],
  ["an exponent", ["start", "--nodes", "1e2"], /wanted a whole number/],
  ["a port out of range", ["start", "--port", "65536"], /wanted a whole number from 0 to 65535/],
  ["a backend that is none", ["start", "--backend", "cuda"], /Allowed choices are auto, webgpu, wasm/],
  [
    "a runtime that is none",
    ["nodes", ...URL_OPTION, "--count", "1", "--runtime", "deno"],
    /choices are browser, node/,
  ],
  [
    "no thread",
    ["nodes", ...URL_OPTION, "--count", "1", "--threads", "0"],
    /wanted a whole number from 1 to 256/,
  ],
  [
    "a state folder for nodes in a browser",
    ["nodes", ...URL_OPTION, "--count", "1", "--state-dir", "x"],
    /'--state-dir <folder>' needs '--runtime node'/,
  ],
  ["nothing to evaluate", ["evaluate", "--task", "t"], /required option '--input <file>' not specified/],
  [
    "a round before the first",
    ["evaluate", "--task", "t", "--input", "x", "--round", "-1"],
    /wanted a whole number/,
  ],
  ["an address without a scheme", ["status", "--coordinator", "127.0.0.1:8081"], /wanted an address such as/],
  ["an address of another scheme", ["status", "--coordinator", "ftp://x"], /wanted an address such as/],
  [
    "an address with a path",
    ["status", "--coordinator", "http://x/status"],
    /address alone, such as http:\/\/x/,
  ],
  [
    "a task's id with blanks",
    ["nodes", ...URL_OPTION, "--count", "1", "--task", "a b"],
    /wanted a task's id/,
  ],
  ["a name of control characters", ["nodes", ...URL_OPTION, "--count", "1", "--name", "a\u0007"], /control/],
])("%s is wrong usage: one line and exit code 2", async (_name, words, message) => {
  const { code, out, err } = await run(...words);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toMatch(/^error: [^\n]* \(invalid_request\)$/);
  expect(err).toMatch(message);
});

test("no command at all is wrong usage and prints the help", async () => {
  const { code, err } = await run();
  expect(code).toBe(2);
  expect(err).toContain("Usage: astroscale [options] [command]");
});

test.each([["status"], ["nodes", "--count", "1"], ["evaluate", "--task", "t", "--input", "x.csv"]])(
  "%s of a coordinator that is not there fails with one sentence",
  async (...words) => {
    // fetch refuses port 9 without asking the network.
    const { code, err } = await run(...words, ...URL_OPTION);
    expect(code).toBe(1);
    expect(err).toBe("error: no coordinator answers at http://127.0.0.1:9 (coordinator_unreachable)");
  },
);

test("a failure is one sentence with its code, and shows where it came from only when debugging", () => {
  const cause = new Error("connect ECONNREFUSED");
  const error = new AstroScaleError("disk_full", "/data has 3 MB left, wanted 10", { cause });
  const sentence = "error: /data has 3 MB left, wanted 10 (disk_full)";
  expect(failureLines(error, undefined)).toEqual([sentence]);
  expect(failureLines(error, "info")).toEqual([sentence]);
  const debug = failureLines(error, "debug").join("\n");
  expect(debug).toContain("at ");
  expect(debug).toContain("connect ECONNREFUSED");
});

test("the operating system's failures keep its code, others are internal", () => {
  const inUse = Object.assign(new Error("port 8081 is in use"), { code: "EADDRINUSE" });
  expect(failureLines(inUse, undefined)).toEqual(["error: port 8081 is in use (EADDRINUSE)"]);
  expect(failureLines(new Error("first line\nsecond line"), undefined)).toEqual([
    "error: first line (internal)",
  ]);
});
