/** The largest memory that threads can share and that this engine has addresses for. @throws {RangeError} if none */
export function sharedMemory(): WebAssembly.Memory {
  for (let maximum = 65_536; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 16, maximum, shared: true });
    } catch (error) {
      if (maximum <= 4096) throw error;
    }
  }
}

/** What a shared build of the kernels imports: its memory, and the host's way to wait for another thread. */
export function hostOf(memory: WebAssembly.Memory): WebAssembly.Imports {
  const words = new Int32Array(memory.buffer);
  // Words that threads wait for lie near the start: the view need not grow.
  const sleep = (at: number, value: number): void => void Atomics.wait(words, at / 4, value);
  return { env: { memory, sleep } };
}
