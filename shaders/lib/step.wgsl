// One batch (or the part of one that fits the device) and the optimiser step it belongs to.
struct Step {
  first_row: u32,     // of the batch among the gathered rows
  rows: u32,
  padded_rows: u32,   // rows, rounded up to whole tiles of 8; the rest are zeros
  fresh: u32,         // 1 for the first part of a batch
  inverse_rows: f32,  // 1 / rows of the whole batch
  rate: f32,
  beta1: f32,         // or the momentum
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
  epsilon: f32,
  m_scale: f32,       // 1 / (1 - beta1^t)
  v_scale: f32,       // 1 / (1 - beta2^t)
  decay: f32,         // of the weights in this step: rate * weight decay
  batch_row: u32,     // place in the whole batch of the first row
  taken: u32,         // optimiser steps taken before this one
  dropout_seed: u32,
  drop_below: u32,    // a unit whose random word is below is dropped
  kept_scale: f32,    // of the units that are not
}
