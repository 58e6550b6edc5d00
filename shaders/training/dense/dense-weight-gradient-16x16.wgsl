// partials[s][i,o] = sum_{r in slice s} x[r,i] * d[r,o]; the bias row has x = 1
//
// The same sums as dense-weight-gradient.wgsl, to the bit, in a tile of 16 inputs x 16 outputs per invocation and
// slice: half the loads, for processors, whose registers are memory anyway. It takes them longer to compile.
// Grid: one invocation per tile and slice: outputs fastest, then inputs and one more tile for the bias, then
// slices; workgroups wrap into y past 65535. Ends of a tile compute the last vec4 again.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;               // [rows, inputs4]
@group(0) @binding(1) var<storage, read> d: array<vec4f>;               // [padded_rows, outputs4]
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;  // [slices, parameters of the group]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

fn rows_of_x(at: u32) -> mat4x4f {
  let n = layer.inputs4;
  return mat4x4f(x[at], x[at + n], x[at + 2u * n], x[at + 3u * n]);
}

fn rows_of_d(at: u32) -> mat4x4f {
  let n = layer.outputs4;
  return mat4x4f(d[at], d[at + n], d[at + 2u * n], d[at + 3u * n]);
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

fn store(at: u32, tile: mat4x4f) {
  let n = layer.outputs4;
  partials[at] = tile[0];
  partials[at + n] = tile[1];
  partials[at + 2u * n] = tile[2];
  partials[at + 3u * n] = tile[3];
}

fn store_band(at: u32, o: vec4u, band: Band) {
  store(at + o[0], band.c0);
  store(at + o[1], band.c1);
  store(at + o[2], band.c2);
  store(at + o[3], band.c3);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let n = layer.outputs4;
  let tiles = (n + 3u) / 4u;
  let bands = (layer.inputs4 + 3u) / 4u + 1u;
  let slice = i / (tiles * bands);
  if (slice >= layer.slices) {
    return;
  }
  let band = (i / tiles) % bands;
  let o = min((i % tiles) * 4u + vec4u(0, 1, 2, 3), vec4u(n - 1u));
  let slice_rows = 4u * ((step.padded_rows / 4u + layer.slices - 1u) / layer.slices);
  let end = min((slice + 1u) * slice_rows, step.padded_rows);
  let at = layer.parameters_at + slice * layer.slice_stride;

  if (band == bands - 1u) {
    var b = mat4x4f();
    for (var r = slice * slice_rows; r < end; r++) {
      b += mat4x4f(d[r * n + o[0]], d[r * n + o[1]], d[r * n + o[2]], d[r * n + o[3]]);
    }
    let bias_at = at + 4u * layer.inputs4 * n;
    partials[bias_at + o[0]] = b[0];
    partials[bias_at + o[1]] = b[1];
    partials[bias_at + o[2]] = b[2];
    partials[bias_at + o[3]] = b[3];
    return;
  }

  let k = min(band * 4u + vec4u(0, 1, 2, 3), vec4u(layer.inputs4 - 1u));
  let first_row = layer.gathered * step.first_row;
  var g0 = Band();
  var g1 = Band();
  var g2 = Band();
  var g3 = Band();
  for (var r = slice * slice_rows; r < end; r += 4u) {
    let d_at = r * n;
    let x_at = (first_row + r) * layer.inputs4;
    let rows = Band(rows_of_d(d_at + o[0]), rows_of_d(d_at + o[1]), rows_of_d(d_at + o[2]), rows_of_d(d_at + o[3]));
    g0 = add(g0, rows, transpose(rows_of_x(x_at + k[0])));
    g1 = add(g1, rows, transpose(rows_of_x(x_at + k[1])));
    g2 = add(g2, rows, transpose(rows_of_x(x_at + k[2])));
    g3 = add(g3, rows, transpose(rows_of_x(x_at + k[3])));
  }
  store_band(at + 4u * k[0] * n, o, g0);
  store_band(at + 4u * k[1] * n, o, g1);
  store_band(at + 4u * k[2] * n, o, g2);
  store_band(at + 4u * k[3] * n, o, g3);
}
