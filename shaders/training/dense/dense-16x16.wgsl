// y[r,o] = activation( sum_i x[r,i] * w[i,o] + b[o] )        Dense layer, ReLU or linear.
//
// The same sums as dense.wgsl, to the bit, in a tile of 16 rows x 16 outputs per invocation: half the loads, for
// processors, whose registers are memory anyway. It takes them longer to compile.
// Grid: one invocation per tile, outputs fastest; workgroups wrap into y past 65535. Where outputs end in a tile
// it computes the last vec4 again.
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

// Four rows of 16 values.
struct Band {
  c0: mat4x4f,
  c1: mat4x4f,
  c2: mat4x4f,
  c3: mat4x4f,
}

fn add(band: Band, w: Band, x: mat4x4f) -> Band {
  return Band(band.c0 + w.c0 * x, band.c1 + w.c1 * x, band.c2 + w.c2 * x, band.c3 + w.c3 * x);
}

fn store(r: u32, o: u32, tile: mat4x4f) {
  let n = layer.outputs4;
  let at = r * n + o;
  y[at] = activation(tile[0]);
  y[at + n] = activation(tile[1]);
  y[at + 2u * n] = activation(tile[2]);
  y[at + 3u * n] = activation(tile[3]);
}

fn store_band(r: u32, o: vec4u, band: Band) {
  if (r < step.padded_rows) {
    store(r, o[0], band.c0);
    store(r, o[1], band.c1);
    store(r, o[2], band.c2);
    store(r, o[3], band.c3);
  }
}

fn rows_of_bias(o: u32) -> mat4x4f {
  let b = parameters[layer.parameters_at + 4u * layer.inputs4 * layer.outputs4 + o];
  return mat4x4f(b, b, b, b);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let tiles = (layer.outputs4 + 3u) / 4u;
  let r = (i / tiles) * 16u;
  if (r >= step.padded_rows) {
    return;
  }
  let o = min((i % tiles) * 4u + vec4u(0, 1, 2, 3), vec4u(layer.outputs4 - 1u));
  var y0 = Band(rows_of_bias(o[0]), rows_of_bias(o[1]), rows_of_bias(o[2]), rows_of_bias(o[3]));
  var y1 = y0;
  var y2 = y0;
  var y3 = y0;
  let band = 4u * layer.inputs4;
  var x_at = (r + layer.gathered * step.first_row) * layer.inputs4;
  var w_at = layer.parameters_at;
  for (var k = 0u; k < layer.inputs4; k++) {
    let w = Band(rows_of_w(w_at + o[0]), rows_of_w(w_at + o[1]), rows_of_w(w_at + o[2]), rows_of_w(w_at + o[3]));
    y0 = add(y0, w, rows_of_x(x_at));
    y1 = add(y1, w, rows_of_x(x_at + band));
    y2 = add(y2, w, rows_of_x(x_at + 2u * band));
    y3 = add(y3, w, rows_of_x(x_at + 3u * band));
    x_at += 1u;
    w_at += 4u * layer.outputs4;
  }
  store_band(r, o, y0);
  store_band(r + 4u, o, y1);
  store_band(r + 8u, o, y2);
  store_band(r + 12u, o, y3);
}
