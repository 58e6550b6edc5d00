import { createElement, render } from "preact";
import { type DashboardDependencies, openCampaignFeed } from "./campaign-feed.ts";
import { DashboardPage } from "./dashboard-page.tsx";

/** Renders the dashboard into `root` and follows the campaign until the returned function is called. */
export function mountDashboard(root: HTMLElement, dependencies: DashboardDependencies): () => void {
  const feed = openCampaignFeed(dependencies, dependencies.task);
  render(createElement(DashboardPage, { feed, dependencies }), root);
  return () => {
    feed.close();
    render(null, root);
  };
}
