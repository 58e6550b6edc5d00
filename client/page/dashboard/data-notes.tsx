import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Catalog } from "../../../protocol/catalogs.ts";
import { parameterCount } from "../../../protocol/model.ts";
import type { TaskSpec } from "../../../protocol/tasks.ts";
import { type Fetch, readCatalog } from "../campaign-api.ts";
import { formatCount } from "../format.ts";

/** The data behind the campaign, whose it is and what was made of it. */
export function DataNotes({ task, fetch }: { task: TaskSpec; fetch: Fetch }): JSX.Element {
  const catalog = useSignal<Catalog | null>(null);
  useEffect(() => {
    let current = true;
    const read = async (): Promise<void> => {
      // Without the catalog's own words the footer says less; there is nothing here to repair.
      const answer = await readCatalog(fetch, task.catalog).catch(() => null);
      if (current) catalog.value = answer;
    };
    void read();
    return () => {
      current = false;
    };
  }, [task.catalog]);
  return (
    <div class="data-notes">
      <section aria-labelledby="model-title">
        <h2 id="model-title">Model</h2>
        <p>
          {[task.model.inputs, ...task.model.hidden, task.model.outputs].join(" → ")} perceptron,{" "}
          {formatCount(parameterCount(task.model))} parameters; {task.strategy.kind} over{" "}
          {formatCount(task.training.localEpochs)} local epochs in batches of{" "}
          {formatCount(task.training.batchSize)}.
        </p>
      </section>
      {catalog.value !== null && <CatalogNotes catalog={catalog.value} />}
    </div>
  );
}

function CatalogNotes({ catalog }: { catalog: Catalog }): JSX.Element {
  return (
    <>
      <section aria-labelledby="data-title">
        <h2 id="data-title">Data</h2>
        <p>
          {catalog.title}: {formatCount(catalog.rows)} rows in {formatCount(catalog.shards)} shards;{" "}
          {formatCount(catalog.heldOutRows)} rows are held out and only score. {catalog.origin}
        </p>
      </section>
      <section aria-labelledby="thanks-title">
        <h2 id="thanks-title">Licence and acknowledgement</h2>
        <p>{catalog.licence}</p>
        <p>{catalog.acknowledgement}</p>
      </section>
    </>
  );
}
