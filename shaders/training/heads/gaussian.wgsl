// loss[r] += mean over k of (s + e^2 exp(-s)) / 2, e = m[r,k] - t[r,k], s = s[r,k] within -14 and 14;
// m[r,k] = e exp(-s) / (targets * batch rows); s[r,k] = (1 - e^2 exp(-s)) / (2 * targets * batch rows)
//
// A row of y is its means m, then as many log-variances s. In place: they give way to the derivatives of the
// batch's mean loss, that by s as if s had no bounds; padding becomes 0.
// Grid: one invocation per row; workgroups wrap into y past 65535.
// Source: Nix and Weigend 1994, "Estimating the mean and variance of the target distribution".
override WORKGROUP_SIZE: u32 = 64;

const BOUND = 14.0; // of a log-variance

@group(0) @binding(0) var<storage, read> t: array<f32>;             // [rows of the training set, padded targets]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [slots]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [padded_rows, 4 * outputs4]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;  // [padded_rows]
@group(0) @binding(4) var<uniform> layer: Layer;
@group(0) @binding(5) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (r >= step.padded_rows) {
    return;
  }
  let at = 4u * r * layer.outputs4;
  if (r >= step.rows) {
    for (var o = 0u; o < 4u * layer.outputs4; o++) {
      y[at + o] = 0;
    }
    return;
  }

  let targets = layer.outputs / 2u;
  let target_at = 4u * order[step.first_row + r] * ((targets + 3u) / 4u);
  let scale = step.inverse_rows / f32(targets);
  var sum = 0.0;
  for (var k = 0u; k < targets; k++) {
    let error = y[at + k] - t[target_at + k];
    // Not clamp: it may drop a NaN, and a model that diverged must show it.
    let free = y[at + targets + k];
    let s = select(select(free, BOUND, free > BOUND), -BOUND, free < -BOUND);
    let inverse_variance = exp(-s);
    let square = error * error * inverse_variance;
    sum += 0.5 * (s + square);
    y[at + k] = error * inverse_variance * scale;
    y[at + targets + k] = 0.5 * (1.0 - square) * scale;
  }
  losses[r] += sum / f32(targets);
}
