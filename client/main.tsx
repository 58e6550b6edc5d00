// oxlint-disable-next-line import/no-unassigned-import -- it has to run before the schemas of the next imports
import "./without-eval.ts";

import { offerAutomation } from "./page/automation.ts";
import { restoreTheme } from "./page/theme.ts";
import { readJoinParameters, suggestName } from "./page/volunteer/join-parameters.ts";
import { mountVolunteerPage } from "./page/volunteer/mount-volunteer-page.ts";
import { createVolunteer } from "./page/volunteer/volunteer-model.ts";
import { openNode } from "./worker/open.ts";

restoreTheme();

const root = document.getElementById("app");
if (root === null) throw new Error("unreachable: index.html has #app");

const volunteer = createVolunteer({ fetch: (path) => fetch(path), openNode, coordinator: location.origin });

offerAutomation({ state: () => volunteer.node.value, stop: () => volunteer.stop() });

mountVolunteerPage(root, {
  volunteer,
  parameters: readJoinParameters(location.search),
  suggestedName: suggestName(Math.random),
  hasWebGpu: "gpu" in navigator,
  cores: navigator.hardwareConcurrency,
});

// A page that may come back from the back/forward cache keeps its node; one that will not says goodbye.
addEventListener("pagehide", (event) => {
  if (!event.persisted) void volunteer.stop();
});
