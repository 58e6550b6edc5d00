import type { JSX } from "preact";
import type { Catalog } from "../../../protocol/catalogs.ts";
import { parameterCount } from "../../../protocol/model.ts";
import type { TaskSpec } from "../../../protocol/tasks.ts";
import { formatBytes, formatCount } from "../format.ts";

/** Bytes of a parameter as it travels: one float32. */
const PARAMETER_BYTES = 4;

/** How big an update of the task is, in words: `1,475 numbers, 5.90 kB`. */
export function updateSize(task: TaskSpec): string {
  const numbers = parameterCount(task.model);
  return `${formatCount(numbers)} numbers, ${formatBytes(numbers * PARAMETER_BYTES)}`;
}

/** Props of `TaskFacts`. */
export interface TaskFactsProps {
  readonly task: TaskSpec | null;
  readonly catalog: Catalog | null;
}

/** Before anyone presses Join: what is computed, what leaves the machine, what it uses. */
export function TaskFacts({ task, catalog }: TaskFactsProps): JSX.Element {
  return (
    <div class="facts">
      <section aria-labelledby="computed-title">
        <h2 id="computed-title">What is computed</h2>
        {task === null ? (
          <p class="muted">The coordinator has not said yet.</p>
        ) : (
          <Computed task={task} catalog={catalog} />
        )}
      </section>
      <section aria-labelledby="leaves-title">
        <h2 id="leaves-title">What leaves this machine</h2>
        <p>
          Once a round, a weight update{task === null ? "" : `: ${updateSize(task)}`}. It says how the model
          should change, and is averaged with everyone else's.
        </p>
        <p>
          With it go the name you choose, the kind of processor and how fast each kind was, how many rows you
          trained on, and the loss. Round 0 sends the mean and spread of each column. Never rows, never files,
          nothing else about you.
        </p>
      </section>
      <section aria-labelledby="uses-title">
        <h2 id="uses-title">What it uses</h2>
        <p>
          As many threads of the processor as you choose, or the graphics processor where that is faster. The
          tab stays usable, and may lie behind others. On a battery or a warm lap, pause: it stops within a
          moment.
        </p>
        <p>
          {catalog === null
            ? "Shards are downloaded once and kept by the browser."
            : `A share of ${formatCount(catalog.rows)} rows is downloaded once and kept by the browser.`}{" "}
          Closing the tab ends it.
        </p>
      </section>
    </div>
  );
}

function Computed({ task, catalog }: { task: TaskSpec; catalog: Catalog | null }): JSX.Element {
  return (
    <>
      <p>
        <b>{task.title}</b> {task.description}
      </p>
      {catalog !== null && (
        <>
          <p>
            From {catalog.title}: {formatCount(catalog.rows)} rows, of which{" "}
            {formatCount(catalog.heldOutRows)} are held out to score the model.
          </p>
          <details>
            <summary>Licence and acknowledgement</summary>
            <p>{catalog.licence}</p>
            <p>{catalog.acknowledgement}</p>
          </details>
        </>
      )}
    </>
  );
}
