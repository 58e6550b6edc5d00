// partials[s][i,o] = sum_{r in slice s} x[r,i] * d[r,o]; the bias row has x = 1
//
// The same sums as dense-weight-gradient.wgsl, to the bit, in a tile of 4 inputs x 4 outputs per invocation and
// slice: four times as many invocations, for GPUs that a layer would leave idle.
// Grid: one invocation per tile and slice: outputs fastest, then inputs and one more tile for the bias, then
// slices; workgroups wrap into y past 65535.
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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let n = layer.outputs4;
  let bands = layer.inputs4 + 1u;
  let slice = i / (n * bands);
  if (slice >= layer.slices) {
    return;
  }
  let k = (i / n) % bands;
  let o = i % n;
  let slice_rows = 4u * ((step.padded_rows / 4u + layer.slices - 1u) / layer.slices);
  let end = min((slice + 1u) * slice_rows, step.padded_rows);
  let at = layer.parameters_at + slice * layer.slice_stride + 4u * k * n + o;

  if (k == layer.inputs4) {
    var b = vec4f(0);
    for (var r = slice * slice_rows; r < end; r++) {
      b += d[r * n + o];
    }
    partials[at] = b;
    return;
  }

  let first_row = layer.gathered * step.first_row;
  var tile = mat4x4f();
  for (var r = slice * slice_rows; r < end; r += 4u) {
    tile += rows_of_d(r * n + o) * transpose(rows_of_x((first_row + r) * layer.inputs4 + k));
  }
  partials[at] = tile[0];
  partials[at + n] = tile[1];
  partials[at + 2u * n] = tile[2];
  partials[at + 3u * n] = tile[3];
}
