// Where lanes meet: threads of one memory that run the same job. The sync block is laid out here; its words lie
// 64 bytes apart, so that no two share a cache line. `wasm/index.ts` says how large it is; it starts as zeros.

/** Lanes that are at the barrier. */
const ARRIVED: usize = 0;
/** How often the barrier has opened. */
const OPENED: usize = 64;

/** Looks at a word before a lane sleeps: about as long as putting a thread to sleep and waking it takes. */
const SPINS: u32 = 2000;

/**
 * The host's `Atomics.wait` on the word at `at` while it is `value`. Not the instruction `memory.atomic.wait32`:
 * after it, code of V8's first compiler has lost local variables (seen in Node 20).
 */
// @ts-ignore: decorator
@external("env", "sleep")
declare function sleep(at: usize, value: u32): void;

/**
 * Returns when all `lanes` have called it: at once when there is one, and in builds without threads. What a lane
 * wrote before is seen by all after.
 *
 * @param sync the sync block
 */
export function barrier(sync: usize, lanes: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  if (lanes == 1) return;
  // It cannot open before this lane has arrived, so the count is read in time.
  const before = atomic.load<u32>(sync, OPENED);
  if (atomic.add<u32>(sync, 1, ARRIVED) + 1 == lanes) {
    atomic.store<u32>(sync, 0, ARRIVED);
    atomic.store<u32>(sync, before + 1, OPENED);
    atomic.notify(sync + OPENED, i32.MAX_VALUE);
  } else {
    awaitChange(sync + OPENED, before);
  }
}

/** Returns when the word at `at` is no longer `value`. */
export function awaitChange(at: usize, value: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  for (let i: u32 = 0; i < SPINS; i++) {
    if (atomic.load<u32>(at) != value) return;
  }
  while (atomic.load<u32>(at) == value) sleep(at, value);
}
