// loss[r] += mean over o of (|e| <= DELTA ? e^2 / 2 : DELTA * (|e| - DELTA / 2)), e = y[r,o] - t[r,o];
// y[r,o] = e / (outputs * batch rows), with e cut off at -DELTA and DELTA
//
// In place: outputs give way to the derivative of the batch's mean loss; padding becomes 0.
// Grid: one invocation per row; workgroups wrap into y past 65535.
// Source: Huber 1964, "Robust estimation of a location parameter".
override WORKGROUP_SIZE: u32 = 64;
override DELTA: f32;

@group(0) @binding(0) var<storage, read> t: array<vec4f>;           // [rows of the training set, outputs4]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [slots]
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;     // [padded_rows, outputs4]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;  // [padded_rows]
@group(0) @binding(4) var<uniform> layer: Layer;
@group(0) @binding(5) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (r >= step.padded_rows) {
    return;
  }
  let at = r * layer.outputs4;
  if (r >= step.rows) {
    for (var o = 0u; o < layer.outputs4; o++) {
      y[at + o] = vec4f(0);
    }
    return;
  }

  let target_at = order[step.first_row + r] * layer.outputs4;
  let outputs = f32(layer.outputs);
  var sums = vec4f(0);
  for (var o = 0u; o < layer.outputs4; o++) {
    let error = y[at + o] - t[target_at + o];
    let size = abs(error);
    sums += select(DELTA * (size - 0.5 * DELTA), 0.5 * error * error, size <= vec4f(DELTA));
    // Not clamp: it may drop a NaN, and a model that diverged must show it.
    let below = select(error, vec4f(DELTA), error > vec4f(DELTA));
    y[at + o] = select(below, vec4f(-DELTA), error < vec4f(-DELTA)) * (step.inverse_rows / outputs);
  }
  losses[r] += ((sums.x + sums.y) + (sums.z + sums.w)) / outputs;
}
