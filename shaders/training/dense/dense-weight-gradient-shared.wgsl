// partials[s][i,o] = sum_{r in slice s} x[r,i] * d[r,o]; the bias row has x = 1
//
// The same sums as dense-weight-gradient.wgsl, to the bit, in a tile of 32 inputs x 32 outputs per workgroup and
// slice: its 64 invocations compute 4 x 4 each, from 16 rows at a time that they have brought into workgroup
// memory together.
// Grid: one workgroup per tile and slice: outputs fastest, then inputs and one more tile for the bias, then
// slices; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64; // SIDE * SIDE, and nothing else

const SIDE = 8u;    // vec4s of a tile
const DEPTH = 16u;  // rows at a time

@group(0) @binding(0) var<storage, read> x: array<vec4f>;               // [rows, inputs4]
@group(0) @binding(1) var<storage, read> d: array<vec4f>;               // [padded_rows, outputs4]
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;  // [slices, parameters of the group]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

var<workgroup> x_part: array<vec4f, DEPTH * SIDE>;  // [DEPTH, SIDE]
var<workgroup> d_part: array<vec4f, DEPTH * SIDE>;  // [DEPTH, SIDE]

fn bring(local: u32, k: u32, o: u32, r: u32) {
  // Past the ends the last row or vec4 is brought again and not used.
  for (var i = local; i < DEPTH * SIDE; i += SIDE * SIDE) {
    let row = min(r + i / SIDE, step.padded_rows - 1u);
    let x_row = row + layer.gathered * step.first_row;
    x_part[i] = x[x_row * layer.inputs4 + min(k + i % SIDE, layer.inputs4 - 1u)];
    d_part[i] = d[row * layer.outputs4 + min(o + i % SIDE, layer.outputs4 - 1u)];
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = id.y * groups.x + id.x;
  let n = layer.outputs4;
  let tiles = (n + SIDE - 1u) / SIDE;
  let bands = (layer.inputs4 + SIDE - 1u) / SIDE + 1u;
  let slice = i / (tiles * bands);
  if (slice >= layer.slices) {
    return;
  }
  let band = (i / tiles) % bands;
  let o = (i % tiles) * SIDE;
  let slice_rows = 4u * ((step.padded_rows / 4u + layer.slices - 1u) / layer.slices);
  let start = slice * slice_rows;
  let end = min(start + slice_rows, step.padded_rows);
  let slice_at = layer.parameters_at + slice * layer.slice_stride;

  if (band == bands - 1u) {
    if (local < SIDE && o + local < n) {
      var b = vec4f(0);
      for (var r = start; r < end; r++) {
        b += d[r * n + o + local];
      }
      partials[slice_at + 4u * layer.inputs4 * n + o + local] = b;
    }
    return;
  }

  let k = band * SIDE;
  let own_k = local / SIDE;
  let own_o = local % SIDE;
  var tile = mat4x4f();
  for (var r = start; r < end; r += DEPTH) {
    bring(local, k, o, r);
    workgroupBarrier();
    for (var part = 0u; part < min(DEPTH, end - r); part += 4u) {
      let x_at = part * SIDE + own_k;
      let d_at = part * SIDE + own_o;
      let rows_of_x = mat4x4f(x_part[x_at], x_part[x_at + SIDE], x_part[x_at + 2u * SIDE], x_part[x_at + 3u * SIDE]);
      tile += mat4x4f(d_part[d_at], d_part[d_at + SIDE], d_part[d_at + 2u * SIDE], d_part[d_at + 3u * SIDE]) *
        transpose(rows_of_x);
    }
    workgroupBarrier();
  }

  if (k + own_k >= layer.inputs4 || o + own_o >= n) {
    return;
  }
  let at = slice_at + 4u * (k + own_k) * n + o + own_o;
  partials[at] = tile[0];
  partials[at + n] = tile[1];
  partials[at + 2u * n] = tile[2];
  partials[at + 3u * n] = tile[3];
}
