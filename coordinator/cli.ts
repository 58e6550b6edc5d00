#!/usr/bin/env node
import { processTerminal } from "./commands/process/terminal.ts";
import { runCli } from "./commands/program.ts";

// Not process.exit: output that waits in a pipe would be lost.
process.exitCode = await runCli(process.argv.slice(2), { terminal: processTerminal(), env: process.env });
