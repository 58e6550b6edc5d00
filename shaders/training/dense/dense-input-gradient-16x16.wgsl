// x[r,i] = sum_o d[r,o] * w[i,o], or 0 where x[r,i] is what a ReLU made of a value not above 0
//
// In place, the same sums as dense-input-gradient.wgsl, to the bit, in a tile of 16 rows x 16 inputs per
// invocation: half the loads, for processors, whose registers are memory anyway. It takes them longer to compile.
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

fn store(r: u32, k: u32, tile: mat4x4f) {
  let n = layer.inputs4;
  let at = r * n + k;
  // A second replacement would be masked by the first: nothing past the end is stored.
  if (k < n) {
    replace(at, tile[0]);
    replace(at + n, tile[1]);
    replace(at + 2u * n, tile[2]);
    replace(at + 3u * n, tile[3]);
  }
}

fn store_band(r: u32, k: u32, band: Band) {
  if (r < step.padded_rows) {
    store(r, k, band.c0);
    store(r, k + 1u, band.c1);
    store(r, k + 2u, band.c2);
    store(r, k + 3u, band.c3);
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let tiles = (layer.inputs4 + 3u) / 4u;
  let r = (i / tiles) * 16u;
  if (r >= step.padded_rows) {
    return;
  }
  let k = (i % tiles) * 4u;
  let band = 4u * layer.outputs4;
  var x0 = Band();
  var x1 = Band();
  var x2 = Band();
  var x3 = Band();
  var w_at = layer.parameters_at + k * band;
  var d_at = r * layer.outputs4;
  for (var o = 0u; o < layer.outputs4; o++) {
    let w = Band(
      transpose(rows_of_w(w_at)),
      transpose(rows_of_w(w_at + band)),
      transpose(rows_of_w(w_at + 2u * band)),
      transpose(rows_of_w(w_at + 3u * band)),
    );
    x0 = add(x0, w, rows_of_d(d_at));
    x1 = add(x1, w, rows_of_d(d_at + band));
    x2 = add(x2, w, rows_of_d(d_at + 2u * band));
    x3 = add(x3, w, rows_of_d(d_at + 3u * band));
    w_at += 1u;
    d_at += 1u;
  }
  store_band(r, k, x0);
  store_band(r + 4u, k, x1);
  store_band(r + 8u, k, x2);
  store_band(r + 12u, k, x3);
}
