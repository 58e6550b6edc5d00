/** Tells listeners which names may have changed, after the change; a name told twice in a turn comes once. */
export class ChangeHints {
  readonly #listeners = new Set<{ readonly tell: (name: string) => void }>();
  readonly #changed = new Set<string>();

  /** @returns stops watching */
  watch(tell: (name: string) => void): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(name: string): void {
    if (this.#changed.size === 0) setImmediate(() => this.#tellAll());
    this.#changed.add(name);
  }

  #tellAll(): void {
    const names = [...this.#changed];
    this.#changed.clear();
    for (const listener of this.#listeners) {
      for (const name of names) {
        // Its own task: a listener that throws must not keep the hint from the others.
        queueMicrotask(() => {
          if (this.#listeners.has(listener)) listener.tell(name);
        });
      }
    }
  }
}
