import { access, constants, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { loadConfig } from "../../config.ts";
import { startCoordinator } from "../../server.ts";
import type { CommandContext, DemoOptions } from "../context.ts";
import { onInterrupt } from "../process/interruption.ts";
import { runCampaign } from "./campaign.ts";
import { reportLines } from "./lines.ts";

/**
 * `astroscale demo`: a coordinator on a free port with a data folder of its own, headless nodes, and the default
 * task from its first round to its last; then prints the scores, writes them, and leaves nothing behind.
 *
 * @throws {AstroScaleError} the code of a node without which the task cannot end
 * @throws {Interrupted} at SIGINT or SIGTERM
 */
export async function demo(options: DemoOptions, { terminal, env }: CommandContext): Promise<void> {
  const file = options.json === undefined ? null : resolve(options.json);
  if (file !== null) await refuseUnwritable(dirname(file));
  const dataDirectory = await mkdtemp(join(tmpdir(), "astroscale-demo-"));
  const interruption = onInterrupt();
  try {
    const { rounds } = options;
    const place = { port: 0, bindAddress: "127.0.0.1", dataDirectory };
    const config = loadConfig(env, { ...place, ...(rounds === undefined ? {} : { rounds }) });
    const coordinator = await startCoordinator(config);
    try {
      terminal.print(`Watch at ${coordinator.url}/dashboard`);
      const report = await runCampaign(coordinator.url, options, { terminal, signal: interruption.signal });
      for (const line of ["", ...reportLines(report)]) terminal.print(line);
      if (file !== null) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
    } finally {
      await coordinator.close();
    }
  } finally {
    interruption.release();
    await rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Minutes of work end in this folder: better to hear of it before. */
async function refuseUnwritable(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new AstroScaleError("invalid_request", `--json: cannot write into ${folder}`, { cause });
  }
}
