// partials[s][i,o] = sum_{r in slice s} x[r,i] * d[r,o]; the bias row has x = 1
//
// A tile of 8 inputs x 8 outputs per invocation and slice, in registers; the columns of `d * transpose(x)`
// are rows of the gradient. The optimiser's step sums the slices in order.
// Grid: one invocation per tile and slice: outputs fastest, then inputs and one more tile for the bias,
// then slices; workgroups wrap into y past 65535. Odd ends compute their last vec4 twice.
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

fn store(at: u32, tile: mat4x4f) {
  let n = layer.outputs4;
  partials[at] = tile[0];
  partials[at + n] = tile[1];
  partials[at + 2u * n] = tile[2];
  partials[at + 3u * n] = tile[3];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let tiles = (layer.outputs4 + 1u) / 2u;
  let bands = (layer.inputs4 + 1u) / 2u + 1u;
  let slice = i / (tiles * bands);
  if (slice >= layer.slices) {
    return;
  }
  let band = (i / tiles) % bands;
  let o0 = (i % tiles) * 2u;
  let o1 = min(o0 + 1u, layer.outputs4 - 1u);
  let slice_rows = 4u * ((step.padded_rows / 4u + layer.slices - 1u) / layer.slices);
  let end = min((slice + 1u) * slice_rows, step.padded_rows);
  let at = layer.parameters_at + slice * layer.slice_stride;

  if (band == bands - 1u) {
    var b0 = vec4f(0);
    var b1 = vec4f(0);
    for (var r = slice * slice_rows; r < end; r++) {
      b0 += d[r * layer.outputs4 + o0];
      b1 += d[r * layer.outputs4 + o1];
    }
    let bias_at = at + 4u * layer.inputs4 * layer.outputs4;
    partials[bias_at + o0] = b0;
    partials[bias_at + o1] = b1;
    return;
  }

  let k0 = band * 2u;
  let k1 = min(k0 + 1u, layer.inputs4 - 1u);
  let first_row = layer.gathered * step.first_row;
  var g00 = mat4x4f();
  var g01 = mat4x4f();
  var g10 = mat4x4f();
  var g11 = mat4x4f();
  for (var r = slice * slice_rows; r < end; r += 4u) {
    let d0 = rows_of_d(r * layer.outputs4 + o0);
    let d1 = rows_of_d(r * layer.outputs4 + o1);
    let x0 = transpose(rows_of_x((first_row + r) * layer.inputs4 + k0));
    g00 += d0 * x0;
    g01 += d1 * x0;
    let x1 = transpose(rows_of_x((first_row + r) * layer.inputs4 + k1));
    g10 += d0 * x1;
    g11 += d1 * x1;
  }
  store(at + 4u * k0 * layer.outputs4 + o0, g00);
  store(at + 4u * k0 * layer.outputs4 + o1, g01);
  store(at + 4u * k1 * layer.outputs4 + o0, g10);
  store(at + 4u * k1 * layer.outputs4 + o1, g11);
}
