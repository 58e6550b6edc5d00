import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type EdgeOrder, EdgeReport } from "../../../protocol/edge.ts";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { packageRoot } from "../../package-root.ts";

/** A process with the compute core in it. */
export interface EdgeProcess {
  /** Hands it an order; nothing where it has ended. */
  send(order: EdgeOrder): void;
  /** Resolves when it has ended, with how: for people. */
  readonly exited: Promise<string>;
  /** Ends it at once; resolves when it has. */
  kill(): Promise<void>;
}

const MAX_COMPLAINT = 4_096;

/** The built edge program. @throws {AstroScaleError} `internal` when it has not been built */
export function edgeProgram(): string {
  const path = join(packageRoot(), "dist/edge/edge.js");
  if (existsSync(path)) return path;
  throw new AstroScaleError("internal", `${path} is not there: run \`npm run build\` first`);
}

/**
 * Starts the edge program. It ends by itself when this process does.
 *
 * @param program as `edgeProgram` gives it
 * @param onReport told of everything it answers
 */
export function startEdgeProcess(program: string, onReport: (report: EdgeReport) => void): EdgeProcess {
  const child = fork(program, [], {
    // Copies typed arrays, which JSON does not.
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT);
  });
  child.on("message", (message) => onReport(EdgeReport.parse(message)));
  const exited = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`the node's process does not start: ${error.message}`));
    child.on("close", (code, signal) => resolve(ending(signal ?? `exit code ${code}`, complaint)));
  });
  return {
    send(order) {
      // A failure to send is the end of the process, which `exited` tells.
      if (child.connected) child.send(order, () => undefined);
    },
    exited,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** How a process ended, with what it said of an error. */
function ending(how: string, complaint: string): string {
  const said = complaint.split("\n").findLast((line) => /^(\w*Error|.* error): ?/.test(line));
  return said === undefined
    ? `the node's process ended with ${how}`
    : `the node's process ended with ${how}: ${said}`;
}
