import type { LaunchBrowser, NodeBrowser } from "./node-browser.ts";

/** The one browser of a pool. */
export interface BrowserKeeper {
  /** The running browser; a new one when the last has exited. Callers at the same time share one start. */
  current(): Promise<NodeBrowser>;
  /** Closes the browser for good: `current` starts no other. */
  close(): Promise<void>;
}

/** Starts a browser when one is needed, and again after it exited. */
export function keepBrowser(launch: LaunchBrowser): BrowserKeeper {
  let running: Promise<NodeBrowser> | null = null;
  let closed = false;

  const forget = (): void => {
    running = null;
  };

  async function start(): Promise<NodeBrowser> {
    try {
      const browser = await launch();
      void browser.exited.then(forget);
      return browser;
    } catch (error) {
      forget();
      throw error;
    }
  }

  return {
    current() {
      if (closed) throw new Error("unreachable: the pool is closed");
      running ??= start();
      return running;
    },
    async close() {
      closed = true;
      // A start that failed has left nothing to close.
      const browser = await running?.catch(() => null);
      await browser?.close();
    },
  };
}
