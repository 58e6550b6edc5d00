import { createElement, render } from "preact";
import { nameProblem } from "./join-parameters.ts";
import { rememberedName } from "./remembered-name.ts";
import { rememberedThreads } from "./remembered-threads.ts";
import type { VolunteerDependencies } from "./volunteer-model.ts";
import { VolunteerPage } from "./volunteer-page.tsx";

/** Renders the volunteer page into `root`, reads the campaigns, and joins by itself when the address says so. */
export function mountVolunteerPage(root: HTMLElement, dependencies: VolunteerDependencies): () => void {
  const { volunteer, parameters, suggestedName } = dependencies;
  const wanted = parameters.name ?? rememberedName() ?? suggestedName;
  const firstName = nameProblem(wanted) === null ? wanted : suggestedName;
  const firstThreads = parameters.threads ?? rememberedThreads();
  void volunteer.readTasks();
  if (parameters.auto) {
    const { backend, task } = parameters;
    void volunteer.join({ name: firstName, backend, threads: firstThreads, task });
  }
  render(createElement(VolunteerPage, { ...dependencies, firstName, firstThreads }), root);
  return () => render(null, root);
}
