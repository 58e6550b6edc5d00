import { Command, CommanderError, Option } from "commander";
import type { BackendWish } from "../headless/node-runtime.ts";
import { packageVersion } from "../package-root.ts";
import { coordinatorOrigin, namePrefix, taskId, wholeNumber } from "./arguments.ts";
import type {
  CommandContext,
  DemoOptions,
  EvaluateOptions,
  NodesOptions,
  RuntimeWish,
  StartOptions,
  StatusOptions,
} from "./context.ts";
import { type ExitCode, failureLines } from "./process/failure.ts";

const MOST_NODES = 256;
const MOST_THREADS = 256;
/** The bundled task opens a round for two nodes and more. */
const LEAST_DEMO_NODES = 2;
/** Slow enough to be watched and joined by hand: the bundled task lasts three minutes. */
const SHOWN_INTERVAL_SECS = 3;
const DEFAULT_ORIGIN = "http://127.0.0.1:8081";

/**
 * Runs one command to its end.
 *
 * @param words what was typed after `astroscale`
 * @returns the exit code; everything that is to be said has been said
 */
export async function runCli(words: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    await program(context).parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its help, its version or what is wrong with the words.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    for (const line of failureLines(error, context.env["LOG_LEVEL"])) context.terminal.complain(line);
    return 1;
  }
}

/** Commands load their code when they run: help is there at once, and Playwright only where a browser is. */
function program(context: CommandContext): Command {
  const astroscale = new Command("astroscale")
    .description("Federated learning on sky surveys in volunteers' browsers.")
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.trimEnd()),
      writeErr: (text) => context.terminal.complain(text.trimEnd()),
      outputError: (text, write) => write(usageError(text)),
    });
  addStart(astroscale, context);
  addNodes(astroscale, context);
  addStatus(astroscale, context);
  addEvaluate(astroscale, context);
  addDemo(astroscale, context);
  addBrowser(astroscale, context);
  return astroscale;
}

function usageError(text: string): string {
  return `${text.trim().replaceAll("\n", " ").replace(/\.$/, "")} (invalid_request)`;
}

function backendOption(): Option {
  return new Option("--backend <name>", "what computes")
    .choices(["auto", "webgpu", "wasm"] satisfies BackendWish[])
    .default("auto");
}

function roundIntervalOption(): Option {
  return new Option("--round-interval <seconds>", "least time from one round's opening to the next")
    .env("ASTROSCALE_FEDERATED_SYNC_INTERVAL_SECS")
    .argParser(wholeNumber(0, 86_400))
    .default(SHOWN_INTERVAL_SECS);
}

function addStart(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("start")
    .description("Start a coordinator with its web client and dashboard, and headless nodes beside it.")
    .option("--port <number>", "port to listen on; 0 for any that is free", wholeNumber(0, 65_535))
    .option("--nodes <number>", "headless nodes to start", wholeNumber(0, MOST_NODES), 2)
    .option("--data-dir <folder>", "where rounds and models are kept")
    .addOption(roundIntervalOption())
    .option("--no-browser", "start no headless nodes")
    .addOption(backendOption())
    .action(async (options: StartOptions) => {
      const { start } = await import("./start.ts");
      await start(options, context);
    });
}

function addNodes(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("nodes")
    .description("Run headless nodes for a coordinator until their task is finished.")
    .requiredOption("--coordinator <url>", "the coordinator's address", coordinatorOrigin)
    .requiredOption("--count <number>", "how many nodes", wholeNumber(1, MOST_NODES))
    .addOption(
      new Option("--runtime <name>", "what the nodes run in")
        .choices(["browser", "node"] satisfies RuntimeWish[])
        .default("browser"),
    )
    .addOption(backendOption())
    .option("--threads <number>", "threads of each node", wholeNumber(1, MOST_THREADS), 1)
    .option("--state-dir <folder>", "where nodes in Node keep sessions and shards between runs")
    .option("--task <id>", "the task to join; without it the coordinator chooses", taskId)
    .option("--name <prefix>", "what the nodes' names begin with", namePrefix, "headless")
    .option("--json", "print the summary as JSON")
    .action(async (options: NodesOptions, command: Command) => {
      if (options.runtime === "browser" && options.stateDir !== undefined) {
        command.error("error: option '--state-dir <folder>' needs '--runtime node'");
      }
      const { nodes } = await import("./nodes.ts");
      await nodes(options, context);
    });
}

function addStatus(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("status")
    .description("Show the tasks and nodes of a running coordinator.")
    .option("--coordinator <url>", "the coordinator's address", coordinatorOrigin, DEFAULT_ORIGIN)
    .option("--json", "print the coordinator's answer as JSON")
    .action(async (options: StatusOptions) => {
      const { status } = await import("./status.ts");
      await status(options, context);
    });
}

function addEvaluate(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("evaluate")
    .description("Score the rows of a labelled csv file with a task's global model.")
    .requiredOption("--task <id>", "the task", taskId)
    .requiredOption("--input <file>", "csv file whose first line names the columns")
    .option("--coordinator <url>", "the coordinator's address", coordinatorOrigin, DEFAULT_ORIGIN)
    .option("--round <number>", "the model after this round instead of the newest", wholeNumber(0, 100_000))
    .addOption(backendOption())
    .option("--json", "print the scores as JSON")
    .action(async (options: EvaluateOptions) => {
      const { evaluate } = await import("./evaluate/evaluate.ts");
      await evaluate(options, context);
    });
}

function addDemo(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("demo")
    .description("Run the default task with headless nodes to its last round, print its scores and end.")
    .option("--nodes <number>", "headless nodes to start", wholeNumber(LEAST_DEMO_NODES, MOST_NODES), 4)
    .option("--rounds <number>", "training rounds instead of the task's own number", wholeNumber(1, 1_000))
    .option("--json <file>", "write the results to a file as JSON")
    .addOption(backendOption())
    .action(async (options: DemoOptions) => {
      const { demo } = await import("./demo/demo.ts");
      await demo(options, context);
    });
}

function addBrowser(astroscale: Command, context: CommandContext): void {
  astroscale
    .command("browser")
    .description("Find the browser that headless nodes use, or install one, and print its path.")
    .action(async () => {
      const { browser } = await import("./browser.ts");
      await browser(context);
    });
}
