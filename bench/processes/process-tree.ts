import { readFileSync, writeFileSync } from "node:fs";
import type { Browser } from "playwright";

/** What all processes of a browser cost the machine; `null` where the system does not tell. */
export interface ProcessTree {
  /** Processor seconds used so far, to 10 ms a process. */
  cpuSeconds(): Promise<number | null>;
  /** Bytes resident now, summed over the processes; pages that they share count more than once. */
  residentBytes(): Promise<number | null>;
  /** Forgets earlier peaks. @returns whether it could */
  resetPeak(): Promise<boolean>;
  /** The sum of the processes' peaks of resident bytes since `resetPeak`: at least the peak of their sum. */
  peakBytes(): Promise<number | null>;
}

// USER_HZ is 100 on every architecture that Chromium runs on.
const TICKS_PER_SECOND = 100;
const RESET_PEAK = "5";

/** Source: proc(5), fields 14 and 15 of `stat`; counted after the name, which may hold spaces. */
function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function statusBytes(status: string, key: "VmRSS" | "VmHWM"): number {
  const kibibytes = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** The processes of `browser`, read from /proc: everywhere but on Linux every figure is `null`. */
export async function processTree(browser: Browser): Promise<ProcessTree> {
  const session = await browser.newBrowserCDPSession();
  const ids = async (): Promise<number[]> => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.map(({ id }) => id);
  };
  const sum = async (file: string, valueOf: (text: string) => number): Promise<number | null> => {
    if (process.platform !== "linux") return null;
    return (await ids()).reduce(
      (total, id) => total + valueOf(readFileSync(`/proc/${id}/${file}`, "utf8")),
      0,
    );
  };
  return {
    async cpuSeconds() {
      const ticks = await sum("stat", cpuTicks);
      return ticks === null ? null : ticks / TICKS_PER_SECOND;
    },
    residentBytes: () => sum("status", (status) => statusBytes(status, "VmRSS")),
    peakBytes: () => sum("status", (status) => statusBytes(status, "VmHWM")),
    async resetPeak() {
      if (process.platform !== "linux") return false;
      try {
        for (const id of await ids()) writeFileSync(`/proc/${id}/clear_refs`, RESET_PEAK);
        return true;
      } catch {
        // A kernel or a container may forbid it; peaks then count from the start of the browser.
        return false;
      }
    },
  };
}
