// loss[r] += sum_o (y[r,o] - t[r,o])^2 / outputs; y[r,o] = 2 * (y[r,o] - t[r,o]) / (outputs * batch rows)
//
// In place: outputs give way to the derivative of the batch's mean loss; padding becomes 0.
// Grid: one invocation per row; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

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
  var sum = 0.0;
  for (var o = 0u; o < layer.outputs4; o++) {
    let error = y[at + o] - t[target_at + o];
    sum += dot(error, error);
    y[at + o] = error * (2.0 * step.inverse_rows / outputs);
  }
  losses[r] += sum / outputs;
}
