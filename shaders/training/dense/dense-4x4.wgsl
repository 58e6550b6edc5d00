// y[r,o] = activation( sum_i x[r,i] * w[i,o] + b[o] )        Dense layer, ReLU or linear.
//
// The same sums as dense.wgsl, to the bit, in a tile of 4 rows x 4 outputs per invocation: four times as many
// invocations, for GPUs that a batch would leave idle.
// Grid: one invocation per tile, outputs fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;           // [rows, inputs4]
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [4 * inputs4 + 1, outputs4] at parameters_at
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;     // [padded_rows, outputs4]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

fn rows_of_x(at: u32) -> mat4x4f {
  let n = layer.inputs4;
  return mat4x4f(x[at], x[at + n], x[at + 2u * n], x[at + 3u * n]);
}

fn rows_of_w(at: u32) -> mat4x4f {
  let n = layer.outputs4;
  return mat4x4f(parameters[at], parameters[at + n], parameters[at + 2u * n], parameters[at + 3u * n]);
}

fn activation(row: vec4f) -> vec4f {
  // Not max: it may drop a NaN, and a model that diverged must show it.
  return select(row, vec4f(0), (row < vec4f(0)) & vec4<bool>(layer.relu == 1u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let r = (i / layer.outputs4) * 4u;
  if (r >= step.padded_rows) {
    return;
  }
  let o = i % layer.outputs4;
  let b = parameters[layer.parameters_at + 4u * layer.inputs4 * layer.outputs4 + o];
  var tile = mat4x4f(b, b, b, b);
  var x_at = (r + layer.gathered * step.first_row) * layer.inputs4;
  var w_at = layer.parameters_at + o;
  for (var k = 0u; k < layer.inputs4; k++) {
    tile += rows_of_w(w_at) * rows_of_x(x_at);
    x_at += 1u;
    w_at += 4u * layer.outputs4;
  }
  let n = layer.outputs4;
  let at = r * n + o;
  y[at] = activation(tile[0]);
  y[at + n] = activation(tile[1]);
  y[at + 2u * n] = activation(tile[2]);
  y[at + 3u * n] = activation(tile[3]);
}
