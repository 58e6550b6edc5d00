import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { TaskStatus } from "../../../protocol/tasks.ts";
import type { BackendChoice, NodeOptions } from "../../node/state.ts";
import { nameProblem } from "./join-parameters.ts";
import { ThreadsField } from "./threads-field.tsx";

/** Props of `JoinForm`. */
export interface JoinFormProps {
  readonly campaigns: readonly TaskStatus[];
  readonly chosen: TaskStatus | null;
  readonly onChooseTask: (id: string) => void;
  readonly firstName: string;
  readonly firstBackend: BackendChoice;
  readonly firstThreads: number | null;
  /** Threads that this machine runs at once. */
  readonly cores: number;
  /** Whether this browser offers WebGPU at all. */
  readonly hasWebGpu: boolean;
  readonly online: boolean;
  readonly onJoin: (wish: Pick<NodeOptions, "name" | "backend" | "threads">) => void;
}

/** Name, backend, threads, campaign, and the one button of the page. */
export function JoinForm(props: JoinFormProps): JSX.Element {
  const name = useSignal(props.firstName);
  const backend = useSignal(props.firstBackend);
  const threads = useSignal(props.firstThreads);
  const touched = useSignal(false);
  const problem = nameProblem(name.value);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    touched.value = true;
    if (problem === null) {
      props.onJoin({ name: name.value.trim(), backend: backend.value, threads: threads.value });
    } else document.getElementById("node-name")?.focus();
  };
  return (
    <form class="panel join" onSubmit={onSubmit} noValidate aria-labelledby="join-title">
      <h2 id="join-title">Take part</h2>
      {props.campaigns.length > 1 && <TaskChoice {...props} />}
      <NameField
        value={name.value}
        problem={touched.value ? problem : null}
        onInput={(value) => {
          name.value = value;
        }}
        onLeave={() => {
          touched.value = true;
        }}
      />
      <BackendField
        value={backend.value}
        hasWebGpu={props.hasWebGpu}
        onChoose={(value) => {
          backend.value = value;
        }}
      />
      {backend.value !== "webgpu" && (
        <ThreadsField
          value={threads.value}
          cores={props.cores}
          onChoose={(value) => {
            threads.value = value;
          }}
        />
      )}
      <button
        type="submit"
        class="button primary"
        disabled={!props.online || props.chosen?.state === "finished"}
      >
        Join
      </button>
      <p class="muted small">{joinHint(props)}</p>
    </form>
  );
}

function joinHint({ online, chosen }: JoinFormProps): string {
  if (!online) return "This machine is offline. Join when it is back.";
  if (chosen?.state === "finished") return "This campaign has finished and needs no more nodes.";
  return "Nothing is installed. Pause, stop or close the tab whenever you like.";
}

function TaskChoice({ campaigns, chosen, onChooseTask }: JoinFormProps): JSX.Element {
  return (
    <label class="field">
      <span>Campaign</span>
      <select
        class="input"
        value={chosen?.task.id ?? ""}
        onChange={({ currentTarget }) => onChooseTask(currentTarget.value)}
      >
        {campaigns.map(({ task, state }) => (
          <option key={task.id} value={task.id}>
            {state === "finished" ? `${task.title} (finished)` : task.title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface NameFieldProps {
  readonly value: string;
  readonly problem: string | null;
  readonly onInput: (value: string) => void;
  readonly onLeave: () => void;
}

function NameField({ value, problem, onInput, onLeave }: NameFieldProps): JSX.Element {
  return (
    <div class="field">
      <label for="node-name">Your node's name</label>
      <input
        class="input"
        id="node-name"
        autocomplete="nickname"
        spellcheck={false}
        value={value}
        aria-invalid={problem !== null}
        aria-describedby="node-name-hint"
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
        onBlur={onLeave}
      />
      <p id="node-name-hint" class={problem === null ? "muted small" : "small problem"}>
        {problem ?? "Everyone can see it on the dashboard."}
      </p>
    </div>
  );
}

const BACKEND_CHOICES: readonly {
  readonly value: BackendChoice;
  readonly label: string;
  readonly hint: string;
}[] = [
  { value: "auto", label: "Auto", hint: "Both are tried for a moment; the faster one computes." },
  { value: "webgpu", label: "WebGPU", hint: "Computes on the graphics processor." },
  { value: "wasm", label: "WebAssembly", hint: "Computes on the processor." },
];

interface BackendFieldProps {
  readonly value: BackendChoice;
  readonly hasWebGpu: boolean;
  readonly onChoose: (value: BackendChoice) => void;
}

function BackendField({ value, hasWebGpu, onChoose }: BackendFieldProps): JSX.Element {
  const hint = BACKEND_CHOICES.find((choice) => choice.value === value)?.hint;
  return (
    <fieldset class="field">
      <legend>Compute with</legend>
      <div class="choices">
        {BACKEND_CHOICES.map((choice) => (
          <label key={choice.value}>
            <input
              type="radio"
              name="backend"
              value={choice.value}
              checked={choice.value === value}
              disabled={choice.value === "webgpu" && !hasWebGpu}
              onChange={() => onChoose(choice.value)}
            />
            {choice.label}
          </label>
        ))}
      </div>
      <p class="muted small">
        {hasWebGpu ? hint : "This browser offers no WebGPU here, so WebAssembly it is."}
      </p>
    </fieldset>
  );
}
