import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright";

/** Bytes of the machine's memory, pages that processes share divided among them. */
export interface MemoryUse {
  /** Of all processes of a browser. */
  readonly all: number;
  /** Of those in which pages and workers run. */
  readonly renderers: number;
}

/** What all processes of a browser cost the machine; `null` where the system does not tell. */
export interface ProcessTree {
  /** Processor seconds used so far, to 10 ms a process. */
  cpuSeconds(): Promise<number | null>;
  /** Memory in use now. */
  memory(): Promise<MemoryUse | null>;
  /** The most memory in use at one time while `work` ran, looked at every 50 ms; each figure's own most. */
  peak(work: () => Promise<void>): Promise<MemoryUse | null>;
}

interface BrowserProcess {
  readonly id: number;
  readonly type: string;
}

// USER_HZ is 100 on every architecture that Chromium runs on.
const TICKS_PER_SECOND = 100;
const LOOK_MS = 50;

/** Source: proc(5), fields 14 and 15 of `stat`; counted after the name, which may hold spaces. */
function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Proportional set size. A process that has just ended uses nothing. Source: proc(5), `smaps_rollup`. */
async function proportionalBytes(id: number): Promise<number> {
  const text = await readFile(`/proc/${id}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

async function memoryOf(processes: readonly BrowserProcess[]): Promise<MemoryUse> {
  const sizes = await Promise.all(
    processes.map(async ({ id, type }) => ({ type, bytes: await proportionalBytes(id) })),
  );
  const sum = (wanted: typeof sizes): number => wanted.reduce((total, { bytes }) => total + bytes, 0);
  return { all: sum(sizes), renderers: sum(sizes.filter(({ type }) => type === "renderer")) };
}

/** The processes of `browser`, read from /proc: everywhere but on Linux every figure is `null`. */
export async function processTree(browser: Browser): Promise<ProcessTree> {
  const session = await browser.newBrowserCDPSession();
  const isLinux = process.platform === "linux";
  const processes = async (): Promise<BrowserProcess[]> => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo;
  };
  const memory = async (): Promise<MemoryUse | null> => (isLinux ? memoryOf(await processes()) : null);
  return {
    memory,
    async cpuSeconds() {
      if (!isLinux) return null;
      const ids = (await processes()).map(({ id }) => id);
      const ticks = ids.map((id) => cpuTicks(readFileSync(`/proc/${id}/stat`, "utf8")));
      return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
    },
    async peak(work) {
      let most: MemoryUse | null = null;
      const over = new AbortController();
      const look = async (): Promise<void> => {
        while (!over.signal.aborted) {
          const now = await memory();
          if (now === null) return;
          const { all, renderers } = most ?? { all: 0, renderers: 0 };
          most = { all: Math.max(all, now.all), renderers: Math.max(renderers, now.renderers) };
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
      };
      const looking = look();
      try {
        await work();
      } finally {
        over.abort();
        await looking;
      }
      return most;
    },
  };
}
