// A whole local epoch, gradient or prediction in one call, by any number of lanes (threads) at once.
//
// A batch is cut into slices of rows whose activations stay in the cache. Slices are dealt to groups, each with a
// gradient of its own, and groups to lanes. What the slices and groups are follows from the model and the batch
// alone, and every sum has a fixed order, so results repeat to the bit with however many lanes.

import { barrier } from "./barrier";
import { backward, forward, head } from "./passes";
import { Dropout, Job, JobKind, Network, layerAt, rowBytes } from "./records";
import { clipFactor, sumGradients, update } from "./update";

/** Rows of each slice of `rows`: as even as multiples of 4 can be. */
// @ts-ignore: decorator
@inline
function sliceOf(network: Network, rows: u32): u32 {
  const slices = (rows + network.sliceRows - 1) / network.sliceRows;
  return ((rows + slices - 1) / slices + 3) & ~3;
}

// @ts-ignore: decorator
@inline
function groupsOf(network: Network, rows: u32): u32 {
  const slice = sliceOf(network, rows);
  return min(network.maxGroups, (rows + slice - 1) / slice);
}

// @ts-ignore: decorator
@inline
function scratchOf(network: Network, lane: u32): usize {
  return network.scratch + <usize>lane * network.scratchBytes;
}

/** Leaves the gradients and losses of this lane's groups of a batch of `rows` rows. @param step for dropout */
function differentiate(
  network: Network, order: usize, rows: u32,
  dropout: Dropout | null, step: u32, lane: u32, lanes: u32,
): void {
  const slice = sliceOf(network, rows), groups = groupsOf(network, rows);
  const scratch = scratchOf(network, lane);
  const scale = <f32>(1 / <f64>rows);
  for (let g = lane; g < groups; g += lanes) {
    const gradient = network.gradients + <usize>g * network.parameterBytes;
    let loss: f64 = 0;
    for (let at = g * slice; at < rows; at += groups * slice) {
      const count = min(slice, rows - at);
      const indices = order + (<usize>at << 2);
      forward(network, scratch, indices, count, dropout, at, step);
      loss += head(network, scratch, indices, count, scale);
      backward(network, scratch, count, dropout, gradient, at >= groups * slice);
    }
    store<f64>(network.losses + (<usize>g << 3), loss);
  }
}

/** The sum of the groups' losses. */
function sumLosses(network: Network, groups: u32): f64 {
  let sum: f64 = 0;
  for (let g: u32 = 0; g < groups; g++) sum += load<f64>(network.losses + (<usize>g << 3));
  return sum;
}

/** One optimiser step on the `rows` rows at `order`; gives the sum of their losses before it. @param step from 0 */
function trainStep(job: Job, order: usize, rows: u32, rate: f32, step: u32, lane: u32, lanes: u32): f64 {
  const network = job.network, optimizer = job.optimizer;
  let groups = groupsOf(network, rows);
  differentiate(network, order, rows, optimizer.dropout, step, lane, lanes);
  barrier(job.sync, lanes);
  const loss = sumLosses(network, groups);
  let factor: f32 = 1;
  if (optimizer.clipNorm != 0) {
    sumGradients(network, groups, true, lane, lanes);
    barrier(job.sync, lanes);
    factor = clipFactor(network, optimizer.clipNorm);
    groups = 1;
  }
  update(network, optimizer, groups, factor, rate, step + 1, lane, lanes);
  barrier(job.sync, lanes);
  return loss;
}

/** One step for each `batchSize` rows. */
function train(job: Job, lane: u32): void {
  let loss: f64 = 0;
  let rates = job.rates, step = job.firstStep;
  for (let at: u32 = 0; at < job.count; at += job.batchSize) {
    const rows = min(job.batchSize, job.count - at);
    // A batch of one group is lane 0's alone, without waiting: in a job only the last one can follow shared ones.
    const lanes: u32 = groupsOf(job.network, rows) == 1 ? 1 : job.lanes;
    if (lane < lanes) loss += trainStep(job, order(job, at), rows, load<f32>(rates), step, lane, lanes);
    rates += 4;
    step += 1;
  }
  if (lane == 0) job.loss = loss / <f64>job.count;
}

// @ts-ignore: decorator
@inline
function order(job: Job, at: u32): usize {
  return job.order + (<usize>at << 2);
}

/** Loss and gradient of all rows, without a step. */
function lossGradient(job: Job, lane: u32): void {
  const network = job.network, groups = groupsOf(network, job.count);
  differentiate(network, job.order, job.count, null, 0, lane, job.lanes);
  barrier(job.sync, job.lanes);
  sumGradients(network, groups, false, lane, job.lanes);
  if (lane == 0) job.loss = sumLosses(network, groups) / <f64>job.count;
}

/** Outputs of this lane's slices, without padding. */
function predict(job: Job, lane: u32): void {
  const network = job.network;
  const scratch = scratchOf(network, lane);
  const last = layerAt(network, network.layerCount - 1);
  const bytes: usize = <usize>last.outputs << 2;
  const row = rowBytes(last.outputs);
  const slice = network.sliceRows;
  for (let at = lane * slice; at < job.count; at += job.lanes * slice) {
    const rows = min(slice, job.count - at);
    forward(network, scratch, order(job, at), rows, null, 0, 0);
    for (let r: u32 = 0; r < rows; r++) {
      memory.copy(job.outputs + <usize>(at + r) * bytes, scratch + last.y + <usize>r * row, bytes);
    }
  }
}

/** One lane's part of a job; returns when every lane has done its own. */
export function runJob(job: usize, lane: u32): void {
  const record = changetype<Job>(job);
  if (record.kind == JobKind.Train) train(record, lane);
  else if (record.kind == JobKind.Gradient) lossGradient(record, lane);
  else predict(record, lane);
  barrier(record.sync, record.lanes);
}
