// x[r,i] = sum_o d[r,o] * w[i,o], or 0 where x[r,i] is what a ReLU made of a value not above 0
//
// In place, the same sums as dense-input-gradient.wgsl, to the bit, in a tile of 4 rows x 4 inputs per
// invocation: four times as many invocations, for GPUs that a batch would leave idle.
// Grid: one invocation per tile, inputs fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> d: array<vec4f>;           // [padded_rows, outputs4]
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [4 * inputs4 + 1, outputs4] at parameters_at
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;     // [padded_rows, inputs4]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

fn rows_of_d(at: u32) -> mat4x4f {
  let n = layer.outputs4;
  return mat4x4f(d[at], d[at + n], d[at + 2u * n], d[at + 3u * n]);
}

fn rows_of_w(at: u32) -> mat4x4f {
  let n = layer.outputs4;
  return mat4x4f(parameters[at], parameters[at + n], parameters[at + 2u * n], parameters[at + 3u * n]);
}

fn replace(at: u32, gradient: vec4f) {
  x[at] = select(vec4f(0), gradient, (x[at] > vec4f(0)) | vec4<bool>(layer.mask == 0u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let r = (i / layer.inputs4) * 4u;
  if (r >= step.padded_rows) {
    return;
  }
  let k = i % layer.inputs4;
  let w_at = layer.parameters_at + 4u * k * layer.outputs4;
  let d_at = r * layer.outputs4;
  var tile = mat4x4f();
  for (var o = 0u; o < layer.outputs4; o++) {
    tile += transpose(rows_of_w(w_at + o)) * rows_of_d(d_at + o);
  }
  let n = layer.inputs4;
  let at = r * n + k;
  replace(at, tile[0]);
  replace(at + n, tile[1]);
  replace(at + 2u * n, tile[2]);
  replace(at + 3u * n, tile[3]);
}
