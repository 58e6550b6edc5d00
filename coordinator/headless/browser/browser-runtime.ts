import type { NodeRuntime, NodeStart } from "../node-runtime.ts";
import { keepBrowser } from "./browser-keeper.ts";
import type { LaunchBrowser } from "./node-browser.ts";

/**
 * Nodes as pages of one browser, each with storage of its own. A browser that dies takes its pages with it and
 * is started again by the first node that needs it.
 */
export function browserRuntime(launch: LaunchBrowser): NodeRuntime {
  const browsers = keepBrowser(launch);
  return {
    async open() {
      await browsers.current();
    },
    async start(node) {
      const browser = await browsers.current();
      return browser.open(nodeUrl(node), node.name);
    },
    close: () => browsers.close(),
  };
}

function nodeUrl({ coordinator, backend, threads, name, task }: NodeStart): string {
  const url = new URL("/", coordinator);
  url.searchParams.set("join", "auto");
  url.searchParams.set("name", name);
  url.searchParams.set("backend", backend);
  url.searchParams.set("threads", String(threads));
  if (task !== null) url.searchParams.set("task", task);
  return url.href;
}
