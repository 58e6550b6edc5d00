import type { JSX } from "preact";
import { threadsToUse } from "../../node/threads.ts";
import { threadChoices } from "./thread-choices.ts";

/** Props of `ThreadsField`. */
export interface ThreadsFieldProps {
  /** `null` for as many as is usual. */
  readonly value: number | null;
  /** Threads that this machine runs at once. */
  readonly cores: number;
  readonly onChoose: (threads: number | null) => void;
}

/** How much of the processor the volunteer lends. */
export function ThreadsField({ value, cores, onChoose }: ThreadsFieldProps): JSX.Element {
  const usual = threadsToUse(null, cores);
  return (
    <label class="field">
      <span>Processor</span>
      <select
        class="input"
        value={value === null ? "" : String(Math.min(value, cores))}
        onChange={({ currentTarget }) =>
          onChoose(currentTarget.value === "" ? null : Number(currentTarget.value))
        }
      >
        <option value="">{`As usual: ${threadsInWords(usual)} of ${cores}`}</option>
        {threadChoices(cores, value).map((threads) => (
          <option key={threads} value={String(threads)}>
            {threads === cores ? `All: ${threadsInWords(threads)}` : `${threadsInWords(threads)} of ${cores}`}
          </option>
        ))}
      </select>
      <span class="muted small hint">
        {cores === 1
          ? "This machine has one; your tab shares it."
          : "Fewer keep the machine cooler and leave it to you; more learn faster."}
      </span>
    </label>
  );
}

/** `1 thread`, `3 threads`. */
export function threadsInWords(threads: number): string {
  return `${threads} ${threads === 1 ? "thread" : "threads"}`;
}
