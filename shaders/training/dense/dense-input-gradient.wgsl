// x[r,i] = sum_o d[r,o] * w[i,o], or 0 where x[r,i] is what a ReLU made of a value not above 0
//
// In place: the activation gives way to the derivative by it, or by what entered the ReLU.
// A tile of 8 rows x 8 inputs per invocation, in registers; the columns of `transpose(w) * d` are rows.
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

fn store(r: u32, k: u32, tile: mat4x4f) {
  let n = layer.inputs4;
  let at = r * n + k;
  replace(at, tile[0]);
  replace(at + n, tile[1]);
  replace(at + 2u * n, tile[2]);
  replace(at + 3u * n, tile[3]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let tiles = (layer.inputs4 + 1u) / 2u;
  let r = (i / tiles) * 8u;
  if (r >= step.padded_rows) {
    return;
  }
  let k0 = (i % tiles) * 2u;
  let k1 = k0 + 1u;
  let w0_at = layer.parameters_at + 4u * k0 * layer.outputs4;
  // Where inputs4 is odd the last tile reads past the weights and stores nothing of it.
  let w1_at = w0_at + 4u * layer.outputs4;
  let d0_at = r * layer.outputs4;
  let d1_at = d0_at + 4u * layer.outputs4;

  var x00 = mat4x4f();
  var x01 = mat4x4f();
  var x10 = mat4x4f();
  var x11 = mat4x4f();
  for (var o = 0u; o < layer.outputs4; o++) {
    let w0 = transpose(rows_of_w(w0_at + o));
    let w1 = transpose(rows_of_w(w1_at + o));
    let d0 = rows_of_d(d0_at + o);
    x00 += w0 * d0;
    x01 += w1 * d0;
    let d1 = rows_of_d(d1_at + o);
    x10 += w0 * d1;
    x11 += w1 * d1;
  }
  store(r, k0, x00);
  store(r + 4u, k0, x10);
  if (k1 < layer.inputs4) {
    store(r, k1, x01);
    store(r + 4u, k1, x11);
  }
}
