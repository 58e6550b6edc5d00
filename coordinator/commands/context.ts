import type { BackendWish } from "../headless/node-runtime.ts";
import type { Terminal } from "./process/terminal.ts";

/** What a command may use of the world it was called in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What headless nodes run in: pages of a browser, or processes of Node. */
export type RuntimeWish = "browser" | "node";

/** Options of `astroscale start`. */
export interface StartOptions {
  readonly port?: number;
  readonly nodes: number;
  readonly dataDir?: string;
  readonly roundInterval: number;
  /** `false` with `--no-browser`. */
  readonly browser: boolean;
  readonly backend: BackendWish;
}

/** Options of `astroscale nodes`. */
export interface NodesOptions {
  readonly coordinator: string;
  readonly count: number;
  readonly runtime: RuntimeWish;
  readonly backend: BackendWish;
  /** Of each node. */
  readonly threads: number;
  /** Where nodes of the runtime `node` keep themselves between runs. */
  readonly stateDir?: string;
  readonly task?: string;
  readonly name: string;
  readonly json?: boolean;
}

/** Options of `astroscale status`. */
export interface StatusOptions {
  readonly coordinator: string;
  readonly json?: boolean;
}

/** Options of `astroscale evaluate`. */
export interface EvaluateOptions {
  readonly task: string;
  readonly input: string;
  readonly coordinator: string;
  readonly round?: number;
  readonly backend: BackendWish;
  readonly json?: boolean;
}

/** Options of `astroscale demo`. */
export interface DemoOptions {
  readonly nodes: number;
  readonly rounds?: number;
  readonly json?: string;
  readonly backend: BackendWish;
}
