import { cpus, loadavg, totalmem } from "node:os";

/** What the figures were taken on. Neither the host's name nor paths. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly chromium: string;
  readonly adapter: string;
  /** Mean number of running processes over the minute before the start: above 0.5, others were at work. */
  readonly loadBefore: number;
}

/** This machine. @param browser what only a browser can tell */
export function describeMachine(browser: { readonly chromium: string; readonly adapter: string }): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    ...browser,
    loadBefore: loadavg()[0] ?? 0,
  };
}
