// The process that the commands start: the compute core in Node, steered over the channel to its parent.

import type { EdgeReport } from "../../protocol/edge.ts";
import { EdgeProgram } from "./edge-program.ts";

/** What still runs by then, such as a driver's threads, is not waited for. */
const EXIT_LIMIT_MS = 2_000;

const program = new EdgeProgram((report: EdgeReport) => {
  // Where the parent is gone `disconnect` follows; without a callback the failure would end this process first.
  if (process.connected) process.send?.(report, undefined, undefined, () => {});
});

process.on("message", (message) => program.take(message));
// Whoever would have said when to stop is gone.
process.on("disconnect", () => void program.stop());
// Ctrl+C reaches every process of the terminal; the node leaves its coordinator then.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void program.stop());

await program.ended;
if (process.connected) process.disconnect();
setTimeout(() => process.exit(), EXIT_LIMIT_MS).unref();
