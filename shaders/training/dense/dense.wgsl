// y[r,o] = activation( sum_i x[r,i] * w[i,o] + b[o] )        Dense layer, ReLU or linear.
//
// A tile of 8 rows x 8 outputs per invocation, kept in registers as four matrices (named values: loops over
// arrays are four times slower). The columns of `w * x` are rows of y.
// Grid: one invocation per tile, outputs fastest; workgroups wrap into y past 65535. Where outputs4 is odd
// the last tile computes its vec4 twice.
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

fn store(r: u32, o: u32, tile: mat4x4f) {
  let n = layer.outputs4;
  let at = r * n + o;
  y[at] = activation(tile[0]);
  y[at + n] = activation(tile[1]);
  y[at + 2u * n] = activation(tile[2]);
  y[at + 3u * n] = activation(tile[3]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let tiles = (layer.outputs4 + 1u) / 2u;
  let r = (i / tiles) * 8u;
  if (r >= step.padded_rows) {
    return;
  }
  let o0 = (i % tiles) * 2u;
  let o1 = min(o0 + 1u, layer.outputs4 - 1u);

  let bias_at = layer.parameters_at + 4u * layer.inputs4 * layer.outputs4;
  let b0 = parameters[bias_at + o0];
  let b1 = parameters[bias_at + o1];
  var y00 = mat4x4f(b0, b0, b0, b0);
  var y01 = mat4x4f(b1, b1, b1, b1);
  var y10 = y00;
  var y11 = y01;
  var x_at = (r + layer.gathered * step.first_row) * layer.inputs4;
  var w_at = layer.parameters_at;
  for (var k = 0u; k < layer.inputs4; k++) {
    let w0 = rows_of_w(w_at + o0);
    let w1 = rows_of_w(w_at + o1);
    let x0 = rows_of_x(x_at);
    y00 += w0 * x0;
    y01 += w1 * x0;
    let x1 = rows_of_x(x_at + 4u * layer.inputs4);
    y10 += w0 * x1;
    y11 += w1 * x1;
    x_at += 1u;
    w_at += 4u * layer.outputs4;
  }
  store(r, o0, y00);
  store(r, o1, y01);
  store(r + 4u, o0, y10);
  store(r + 4u, o1, y11);
}
