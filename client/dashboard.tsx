// oxlint-disable-next-line import/no-unassigned-import -- it has to run before the schemas of the next imports
import "./without-eval.ts";

import { mountDashboard } from "./page/dashboard/mount-dashboard.ts";
import { restoreTheme } from "./page/theme.ts";

restoreTheme();

const root = document.getElementById("app");
if (root === null) throw new Error("unreachable: dashboard.html has #app");

mountDashboard(root, {
  fetch: (path) => fetch(path),
  openEvents: (path) => new EventSource(path),
  nowMs: () => performance.timeOrigin + performance.now(),
  later: (callback, delayMs) => {
    setTimeout(callback, delayMs);
  },
  task: new URLSearchParams(location.search).get("task"),
  onChoose: (task) => history.replaceState(null, "", `?task=${encodeURIComponent(task)}`),
});
