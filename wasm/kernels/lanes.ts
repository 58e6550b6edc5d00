// How lane 0, which owns the memory, gives jobs to the other lanes. They wait in `serveJobs` between jobs.

import { awaitChange } from "./barrier";
import { runJob } from "./network";

/** Jobs published so far, in the sync block of barrier.ts. */
const PUBLISHED: usize = 128;
/** The job published last; 0 sends the lanes home. */
const JOB: usize = 192;

/** Gives every other lane a job, or 0 to end it; only when they have done the last one. */
export function publishJob(sync: usize, job: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.store<usize>(sync, job, JOB);
  atomic.add<u32>(sync, 1, PUBLISHED);
  atomic.notify(sync + PUBLISHED, i32.MAX_VALUE);
}

/** Runs every job that is published, as lane `lane`; returns when lanes are sent home. */
export function serveJobs(sync: usize, lane: u32): void {
  if (!ASC_FEATURE_THREADS) return;
  for (let done: u32 = 0; ; done++) {
    awaitChange(sync + PUBLISHED, done);
    const job = atomic.load<usize>(sync, JOB);
    if (job == 0) return;
    runJob(job, lane);
  }
}
