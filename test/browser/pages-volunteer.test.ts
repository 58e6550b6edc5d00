import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { INITIAL_STATE } from "../../client/node/announcer.ts";
import type { NodeOptions, NodeState } from "../../client/node/state.ts";
import { readJoinParameters } from "../../client/page/volunteer/join-parameters.ts";
import { mountVolunteerPage } from "../../client/page/volunteer/mount-volunteer-page.ts";
import { createVolunteer } from "../../client/page/volunteer/volunteer-model.ts";
import type { TaskStatus } from "../../protocol/tasks.ts";
import { CATALOG, taskSpec, taskStatus } from "../unit/client/page/campaign.ts";

let close: () => void = () => {};
beforeEach(() => localStorage.clear());
afterEach(() => close());

interface Opened {
  readonly joined: NodeOptions[];
  readonly calls: string[];
  /** The node changes. */
  tell(parts: Partial<NodeState>): void;
}

/** The volunteer page over a node that does what the test says. */
function open(query = "", tasks: readonly TaskStatus[] = [taskStatus(taskSpec())]): Opened {
  const root = document.body.appendChild(document.createElement("div"));
  const joined: NodeOptions[] = [];
  const calls: string[] = [];
  let state = INITIAL_STATE;
  let say: (state: NodeState) => void = () => {};
  const note = (call: string) => async (): Promise<void> => {
    calls.push(call);
  };
  const volunteer = createVolunteer({
    fetch: async (path) => Response.json(path === "/tasks" ? { tasks } : CATALOG),
    openNode: (options, onState) => {
      joined.push(options);
      say = onState;
      onState(state);
      return { pause: note("pause"), resume: note("resume"), stop: note("stop") };
    },
    coordinator: "http://coordinator",
  });
  const unmount = mountVolunteerPage(root, {
    volunteer,
    parameters: readJoinParameters(query),
    suggestedName: "quiet-quasar-417",
    hasWebGpu: true,
    cores: 4,
  });
  close = () => {
    unmount();
    root.remove();
  };
  return {
    joined,
    calls,
    tell: (parts) => {
      state = { ...state, ...parts };
      say(state);
    },
  };
}

describe("the volunteer page before joining", () => {
  test("says what is computed, what leaves the machine and whose data it is, under named headings", async () => {
    open();
    await expect
      .element(page.getByRole("heading", { level: 1 }))
      .toHaveTextContent("Lend this tab to a sky survey.");
    await expect.element(page.getByRole("main")).toBeVisible();
    // (2 + 1) * 4 + (4 + 1) * 3 = 27 parameters of four bytes.
    const leaves = page.getByRole("region", { name: "What leaves this machine" });
    await expect.element(leaves).toHaveTextContent(/27 numbers, 108\sB.*Never rows, never files/);
    const computed = page.getByRole("region", { name: "What is computed" });
    await expect.element(computed).toHaveTextContent(/Star, galaxy or quasar.*8,014 rows/);
    await computed.getByText("Licence and acknowledgement").click();
    await expect.element(computed.getByText(/Alfred P\. Sloan/)).toBeVisible();
  });

  test("joins with the name, the backend and the campaign that it shows", async () => {
    const { joined } = open();
    await expect.element(page.getByRole("region", { name: "What is computed" })).toHaveTextContent("8,014");
    await page.getByRole("textbox", { name: "Your node's name" }).fill("  anna  ");
    await page.getByRole("radio", { name: "WebAssembly" }).click();
    const threads = page.getByRole("combobox", { name: "Processor" });
    await expect.element(threads).toHaveTextContent("As usual: 3 threads of 4");
    await threads.selectOptions("2 threads of 4");
    await page.getByRole("button", { name: "Join" }).click();
    await expect.element(page.getByRole("heading", { level: 1 })).toHaveTextContent("Joining.");
    expect(joined).toEqual([
      { name: "anna", backend: "wasm", threads: 2, task: "sdss-class", coordinator: "http://coordinator" },
    ]);
    expect(localStorage.getItem("astroscale.name")).toBe("anna");
    expect(localStorage.getItem("astroscale.threads")).toBe("2");
  });

  test("does not join under a name that nobody can read, and says what is wrong with it", async () => {
    const { joined } = open();
    const name = page.getByRole("textbox", { name: "Your node's name" });
    await name.fill("");
    await page.getByRole("button", { name: "Join" }).click();
    await expect.element(name).toHaveAccessibleDescription(/Choose a name/);
    await expect.element(name).toHaveAttribute("aria-invalid", "true");
    await expect.element(name).toHaveFocus();
    expect(joined).toEqual([]);
  });

  test("joins by itself when the address says so, and leaves the choice of the task to the coordinator", async () => {
    const { joined } = open("?join=auto&name=ci-1&backend=webgpu&threads=1");
    await expect.element(page.getByRole("button", { name: "Stop" })).toBeVisible();
    expect(joined).toEqual([
      { name: "ci-1", backend: "webgpu", threads: 1, task: null, coordinator: "http://coordinator" },
    ]);
  });

  test("offers the threads that this volunteer gave last, and asks for none where the graphics processor computes", async () => {
    localStorage.setItem("astroscale.threads", "4");
    open();
    const threads = page.getByRole("combobox", { name: "Processor" });
    await expect.element(threads).toHaveValue("4");
    await page.getByRole("radio", { name: "WebGPU" }).click();
    await expect.element(threads).not.toBeInTheDocument();
  });

  test("offers campaigns to choose from, but no baseline and no place in a finished one", async () => {
    const other = taskStatus(taskSpec({ id: "photo-z", title: "Redshifts" }), { state: "finished" });
    const baseline = taskStatus(taskSpec({ id: "alone", title: "Alone", baselineOf: "sdss-class" }));
    open("", [taskStatus(taskSpec()), other, baseline]);
    const choice = page.getByRole("combobox", { name: "Campaign" });
    await expect.element(choice).toHaveValue("sdss-class");
    await expect.element(choice).toHaveTextContent("Star, galaxy or quasarRedshifts (finished)");
    await choice.selectOptions("photo-z");
    await expect.element(page.getByRole("button", { name: "Join" })).toBeDisabled();
  });
});

describe("the volunteer page with a node", () => {
  const training = {
    phase: "training",
    backend: "webgpu",
    device: "Apple M2",
    task: { id: "sdss-class", title: "Star, galaxy or quasar", description: "" },
    round: 24,
    rounds: 60,
    localEpoch: 2,
    localEpochs: 5,
    examplesPerSecond: 48_231,
    loss: 0.1834,
    shards: 4,
    rows: 2003,
  } as const;

  test("shows the round, the step, the figures, and which stage of the data's way is active", async () => {
    const { tell } = open("?join=auto");
    tell(training);
    await expect.element(page.getByText("Training, local epoch 3 of 5")).toBeVisible();
    await expect
      .element(page.getByRole("progressbar", { name: "Rounds of the campaign" }))
      .toHaveAttribute("aria-valuenow", "23");
    const node = page.getByRole("region", { name: "Your node" });
    await expect.element(node).toHaveTextContent(/48,200\/s.*2,003.*WebGPU on Apple M2/);
    const stage = (): string | undefined =>
      document.querySelector("[data-stage][aria-current=step] h3")?.textContent;
    await expect.poll(stage).toBe("Your machine learns from it");
    tell({ phase: "sending" });
    await expect.poll(stage).toBe("Only an update goes out");
    expect(document.title).toBe("AstroScale: round 24 of 60");
    await expect
      .element(page.getByRole("img", { name: "Loss 0.1834 in round 24, 0.1834 in round 24" }))
      .toBeVisible();
  });

  test("says what computes and why, and how much of the processor it may use", async () => {
    const { tell } = open("?join=auto");
    const probes = [
      { backend: "wasm", device: "WebAssembly SIMD, 3 threads", examplesPerSecond: 51_000 },
      { backend: "webgpu", device: "Apple M2", examplesPerSecond: 210_000 },
    ] as const;
    tell({ ...training, probes });
    await expect
      .element(
        page.getByText(
          "WebGPU chosen: 4.1x as fast as WebAssembly here: 210,000 against 51,000 examples a second.",
        ),
      )
      .toBeVisible();
    // After a fall back the measurement speaks for what computes no longer.
    tell({ backend: "wasm", device: "WebAssembly SIMD, 1 thread", threads: 3 });
    await expect.element(page.getByText(/chosen/)).not.toBeInTheDocument();
    await expect
      .element(page.getByText(/Computes with WebAssembly SIMD, 1 thread; you allow up to 3 threads/))
      .toBeVisible();
  });

  test("says why it waits before the first round, in the campaign's words until the node has its own", async () => {
    const waiting = taskStatus(taskSpec(), {
      state: "waiting",
      reason: "waiting for 1 of 2 nodes",
      round: 0,
    });
    const { tell } = open("?join=auto", [waiting]);
    await expect.element(page.getByRole("button", { name: "Stop" })).toBeVisible();
    tell({ phase: "waiting", task: training.task, rounds: 60 });
    const node = page.getByRole("region", { name: "Your node" });
    await expect.element(node.getByText("Waiting for 1 of 2 nodes")).toBeVisible();
    tell({ reason: "waiting for a deadline" });
    await expect.element(node.getByText("Waiting for a deadline")).toBeVisible();
  });

  test("pauses, resumes and stops by its buttons", async () => {
    const { calls, tell } = open("?join=auto");
    tell(training);
    await page.getByRole("button", { name: "Pause" }).click();
    tell({ phase: "paused" });
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await expect
      .element(page.getByRole("heading", { level: 1 }))
      .toHaveTextContent("You have left. Thank you.");
    expect(calls).toEqual(["pause", "resume", "stop"]);
    await page.getByRole("button", { name: "Back to the start" }).click();
    await expect.element(page.getByRole("button", { name: "Join" })).toBeVisible();
  });

  test("tells a fall back, and a failure with its code and what can be done", async () => {
    const { tell } = open("?join=auto");
    tell({ ...training, backend: "wasm", notice: "The graphics processor was lost twice." });
    await expect.element(page.getByText("The graphics processor was lost twice.")).toBeVisible();
    tell({ phase: "failed", error: { code: "device_unavailable", message: "no adapter" } });
    await expect.element(page.getByText("device_unavailable")).toBeVisible();
    await expect.element(page.getByText(/Choose WebAssembly and join again/)).toBeVisible();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect.element(page.getByRole("button", { name: "Join" })).toBeVisible();
  });

  test("thanks at the end, with the score that all reached together and the way to the dashboard", async () => {
    const { tell } = open("?join=auto");
    tell({ ...training, phase: "finished", updatesAccepted: 60, examplesTrained: 600_900 });
    await expect.element(page.getByText(/96\.3\s% Accuracy on held-out rows, 97\.0\s%/)).toBeVisible();
    await expect.element(page.getByText(/600,900 examples and sent 60 updates/)).toBeVisible();
    const link = page.getByRole("link", { name: "See the whole campaign" });
    await expect.element(link).toHaveAttribute("href", "/dashboard?task=sdss-class");
  });

  test("says that the machine is offline while it is", async () => {
    const { tell } = open("?join=auto");
    tell(training);
    Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
    try {
      dispatchEvent(new Event("offline"));
      await expect.element(page.getByText(/This machine is offline/)).toBeVisible();
    } finally {
      Reflect.deleteProperty(navigator, "onLine");
    }
    dispatchEvent(new Event("online"));
    await expect.element(page.getByText(/This machine is offline/)).not.toBeInTheDocument();
  });
});
