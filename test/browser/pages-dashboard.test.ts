import { afterEach, describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { mountDashboard } from "../../client/page/dashboard/mount-dashboard.ts";
import type { CampaignEvent } from "../../protocol/events.ts";
import type { RoundStatus } from "../../protocol/rounds.ts";
import type { TaskStatus } from "../../protocol/tasks.ts";
import {
  CATALOG,
  coordinatorStatus,
  nodeStatus,
  roundStatus,
  taskSpec,
  taskStatus,
} from "../unit/client/page/campaign.ts";

/** An EventSource whose events come from the test. */
class FakeEvents extends EventTarget {
  readonly CLOSED = 2;
  readyState = 1;
  say(event: CampaignEvent): void {
    this.dispatchEvent(new MessageEvent(event.kind, { data: JSON.stringify(event) }));
  }
  close(): void {
    this.readyState = 2;
  }
}

interface Answers {
  tasks: TaskStatus[];
  rounds: Record<string, RoundStatus[]>;
  nodes: ReturnType<typeof nodeStatus>[];
}

const campaign = taskStatus(taskSpec());
const baseline = taskStatus(taskSpec({ id: "sdss-central", baselineOf: "sdss-class", title: "Alone" }));

function running(): Answers {
  return {
    tasks: [campaign, baseline],
    rounds: {
      "sdss-class": [0, 1, 2].map((round) => roundStatus(round)),
      "sdss-central": [1, 2].map((round) => roundStatus(round, { task: "sdss-central" })),
    },
    nodes: [nodeStatus(), nodeStatus({ nodeId: "00000000000000b2", name: '<img src=x onerror="alert(1)">' })],
  };
}

let close: () => void = () => {};
afterEach(() => close());

/** The dashboard on a coordinator that gives these answers; `events` opens the stream with a reset. */
function open(answers: Answers): { events: FakeEvents; asked: string[]; later: (() => void)[] } {
  const root = document.body.appendChild(document.createElement("div"));
  const events = new FakeEvents();
  const asked: string[] = [];
  const later: (() => void)[] = [];
  const reply = (path: string): unknown => {
    const task = new URL(path, "http://coordinator").searchParams.get("task") ?? "";
    if (path === "/status") return coordinatorStatus(answers.tasks, answers.nodes);
    if (path.startsWith("/federated/rounds")) return { task, rounds: answers.rounds[task] ?? [] };
    return CATALOG;
  };
  const unmount = mountDashboard(root, {
    fetch: async (path) => {
      asked.push(path);
      return Response.json(reply(path));
    },
    openEvents: () => events as unknown as EventSource,
    nowMs: () => 0,
    later: (callback) => later.push(callback),
    task: null,
    onChoose: () => {},
  });
  close = () => {
    unmount();
    root.remove();
  };
  events.dispatchEvent(new Event("open"));
  events.say({ kind: "reset" });
  return { events, asked, later };
}

describe("the dashboard", () => {
  test("has one main region, a named navigation, one first heading, and a chart with words for each picture", async () => {
    open(running());
    await expect.element(page.getByRole("heading", { level: 1 })).toHaveTextContent("Star, galaxy or quasar");
    await expect.element(page.getByRole("main")).toBeVisible();
    await expect.element(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
    await expect.element(page.getByRole("group", { name: "Theme" })).toBeVisible();
    await expect
      .element(page.getByRole("img", { name: /^Accuracy on held-out rows over 2 rounds, now 92\.0/ }))
      .toBeVisible();
    await expect
      .element(page.getByRole("progressbar", { name: "Rounds closed" }))
      .toHaveAttribute("aria-valuenow", "2");
    await expect.element(page.getByRole("contentinfo")).toHaveTextContent("Alfred P. Sloan");
  });

  test("shows the score beside the centralised one with their difference, and lists no baseline as a campaign", async () => {
    open(running());
    const numbers = page.getByRole("region", { name: "The campaign in numbers" });
    await expect.element(numbers).toHaveTextContent(/96\.3\s%/);
    await expect.element(numbers).toHaveTextContent(/centralised 97\.0\s%,\s*\u22120\.7\spoints/);
    await expect.element(page.getByRole("combobox", { name: "Campaign" })).not.toBeInTheDocument();
  });

  test("draws the centralised run's rounds as a second line and gives every chart as a table", async () => {
    open(running());
    await page.getByRole("button", { name: "Accuracy by round as a table" }).click();
    const table = page.getByRole("region", { name: "Accuracy by round, table" });
    await expect.element(table.getByRole("columnheader", { name: "Centralised" })).toBeVisible();
    await expect.element(table.getByRole("row", { name: /^2 92\.0\s% 92\.0\s%$/ })).toBeVisible();
  });

  test("shows a node's name as text, whatever it contains", async () => {
    open(running());
    await expect
      .element(page.getByRole("rowheader", { name: '<img src=x onerror="alert(1)">' }))
      .toBeVisible();
    expect(document.querySelector("main img")).toBeNull();
  });

  test("shows what a node computes with, what it measured, and the round it gave up, in its words as text", async () => {
    const [healthy] = running().nodes;
    const probes = [
      { backend: "wasm", device: "", examplesPerSecond: 51_000 },
      { backend: "webgpu", device: "", examplesPerSecond: 210_000 },
    ] as const;
    const fault = { round: 12, code: "diverged", message: "loss is <b>NaN</b>" } as const;
    const faulty = nodeStatus({ nodeId: "00000000000000c3", name: "cleo", probes: [...probes], fault });
    open({ ...running(), nodes: healthy === undefined ? [faulty] : [healthy, faulty] });
    const row = page.getByRole("row", { name: /^cleo/ });
    await expect
      .element(page.getByRole("row", { name: "gave up round 12: loss is <b>NaN</b> diverged" }))
      .toBeVisible();
    await expect
      .element(row)
      .toHaveTextContent(/WebGPU on Apple M2.*measured: WebAssembly 51,000\/s, WebGPU 210,000\/s/);
    await expect.element(page.getByRole("row", { name: /^anna/ })).not.toHaveTextContent(/measured/);
    expect(document.querySelectorAll(".fault")).toHaveLength(1);
  });

  test("takes in what the stream tells: a closed round, a refused update, the end", async () => {
    const { events, later } = open(running());
    await expect.element(page.getByRole("heading", { name: "Round 2 now" })).toBeVisible();
    events.say({ kind: "round", round: roundStatus(3, { rejected: { stale_round: 1 } }) });
    events.say({
      kind: "update-rejected",
      task: "sdss-class",
      nodeId: null,
      name: "late",
      code: "stale_round",
      message: "for round 2",
    });
    events.say({ kind: "task", task: { ...campaign, state: "finished", round: 60 } });
    // All three came within one gathering, so they make one repaint.
    expect(later).toHaveLength(1);
    later[0]?.();
    await expect.element(page.getByRole("heading", { name: "All rounds are done" })).toBeVisible();
    await expect.element(page.getByRole("region", { name: "Refused updates" })).toHaveTextContent("late");
    await expect.element(page.getByRole("button", { name: "3, nodes of the round" })).toBeVisible();
    const model = page.getByRole("link", { name: "Take the model home" });
    await expect.element(model).toHaveAttribute("href", "/federated/model?task=sdss-class");
  });

  test("says when the connection is lost, keeps the numbers, and reads everything anew after a reset", async () => {
    const answers = running();
    const { events, asked } = open(answers);
    await expect.element(page.getByRole("heading", { name: "Round 2 now" })).toBeVisible();
    events.dispatchEvent(new Event("error"));
    await expect.element(page.getByText(/Connection lost, retrying/)).toBeVisible();
    await expect.element(page.getByRole("heading", { name: "Round 2 now" })).toBeVisible();
    answers.rounds["sdss-class"]?.push(roundStatus(3));
    events.dispatchEvent(new Event("open"));
    events.say({ kind: "reset" });
    await expect.element(page.getByRole("heading", { name: "Round 3 now" })).toBeVisible();
    await expect.element(page.getByText(/Connection lost/)).not.toBeInTheDocument();
    expect(asked.filter((path) => path === "/status")).toHaveLength(2);
  });

  test("opens a new stream when the old one has given up", async () => {
    const { events, later } = open(running());
    events.close();
    events.dispatchEvent(new Event("error"));
    await expect.element(page.getByText(/Connection lost/)).toBeVisible();
    later[0]?.();
    events.dispatchEvent(new Event("open"));
    await expect.element(page.getByText(/Connection lost/)).not.toBeInTheDocument();
  });

  test("says what to do while there is no campaign", async () => {
    open({ tasks: [], rounds: {}, nodes: [] });
    await expect.element(page.getByRole("heading", { level: 1, name: "No campaign yet" })).toBeVisible();
  });

  test("judges a regression task by its errors", async () => {
    const { model } = campaign.task;
    const task = taskSpec({
      label: { kind: "value", column: "z", unit: null },
      model: { ...model, outputs: 1, head: "mean-squared-error" },
    });
    const score = { kind: "value", loss: 0.0008, rmse: 0.0283, mae: 0.0204, r2: 0.96 } as const;
    open({
      tasks: [taskStatus(task, { score, central: { ...score, rmse: 0.0263 } })],
      rounds: {},
      nodes: [],
    });
    const numbers = page.getByRole("region", { name: "The campaign in numbers" });
    await expect
      .element(numbers)
      .toHaveTextContent(/RMSE, held-out rows0\.0283\s*centralised 0\.0263,\s*\+0\.0020/);
  });
});
