import { ensureChromium, streamProgram } from "../headless/browser/chromium-install.ts";
import { thisMachine } from "../headless/browser/machine.ts";
import type { CommandContext } from "./context.ts";
import { onInterrupt } from "./process/interruption.ts";

/**
 * `astroscale browser`: prints the path of the browser that headless nodes use, after installing one if there
 * was none.
 *
 * @throws {AstroScaleError} `chromium_missing` when there is none and none could be installed
 */
export async function browser({ terminal }: CommandContext): Promise<void> {
  const interruption = onInterrupt();
  try {
    const report = terminal.complain;
    const run = streamProgram(report, interruption.signal);
    terminal.print(await ensureChromium(thisMachine(), { report, run }));
  } finally {
    interruption.release();
  }
}
