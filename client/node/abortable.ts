/**
 * What `work` gives, unless `signal` aborts first: for work that cannot be interrupted itself, such as a local
 * epoch on a device. The abandoned work's outcome is ignored.
 *
 * @throws the signal's reason when it aborts first, else what `work` throws
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
