// x[r,i] = sum_o d[r,o] * w[i,o], or 0 where x[r,i] is what a ReLU made of a value not above 0
//
// In place, the same sums as dense-input-gradient.wgsl, to the bit, in a tile of 32 rows x 32 inputs per
// workgroup: its 64 invocations compute 4 x 4 each, from 16 outputs at a time that they have brought into
// workgroup memory together.
// Grid: one workgroup per tile, inputs fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64; // SIDE * SIDE, and nothing else

const SIDE = 8u;   // vec4s, or rows / 4, of a tile
const DEPTH = 4u;  // vec4s of outputs at a time

@group(0) @binding(0) var<storage, read> d: array<vec4f>;           // [padded_rows, outputs4]
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [4 * inputs4 + 1, outputs4] at parameters_at
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;     // [padded_rows, inputs4]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

var<workgroup> d_part: array<vec4f, 4 * SIDE * DEPTH>;  // [32 rows, DEPTH]
var<workgroup> w_part: array<vec4f, 4 * SIDE * DEPTH>;  // [32 inputs, DEPTH]

fn replace(at: u32, gradient: vec4f) {
  x[at] = select(vec4f(0), gradient, (x[at] > vec4f(0)) | vec4<bool>(layer.mask == 0u));
}

fn bring(local: u32, r: u32, k: u32, o: u32) {
  // Past the ends the last row, input or vec4 is brought again and not used.
  for (var i = local; i < 4u * SIDE * DEPTH; i += SIDE * SIDE) {
    let column = min(o + i % DEPTH, layer.outputs4 - 1u);
    d_part[i] = d[min(r + i / DEPTH, step.padded_rows - 1u) * layer.outputs4 + column];
    let w_row = min(4u * k + i / DEPTH, 4u * layer.inputs4 - 1u);
    w_part[i] = parameters[layer.parameters_at + w_row * layer.outputs4 + column];
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = id.y * groups.x + id.x;
  let tiles = (layer.inputs4 + SIDE - 1u) / SIDE;
  let r = (i / tiles) * 4u * SIDE;
  if (r >= step.padded_rows) {
    return;
  }
  let k = (i % tiles) * SIDE;
  let own_r = local / SIDE;
  let own_k = local % SIDE;

  var tile = mat4x4f();
  for (var o = 0u; o < layer.outputs4; o += DEPTH) {
    bring(local, r, k, o);
    workgroupBarrier();
    for (var part = 0u; part < min(DEPTH, layer.outputs4 - o); part++) {
      let w_at = 4u * own_k * DEPTH + part;
      let d_at = 4u * own_r * DEPTH + part;
      let w = mat4x4f(w_part[w_at], w_part[w_at + DEPTH], w_part[w_at + 2u * DEPTH], w_part[w_at + 3u * DEPTH]);
      tile += transpose(w) *
        mat4x4f(d_part[d_at], d_part[d_at + DEPTH], d_part[d_at + 2u * DEPTH], d_part[d_at + 3u * DEPTH]);
    }
    workgroupBarrier();
  }

  let own_row = r + 4u * own_r;
  if (own_row >= step.padded_rows || k + own_k >= layer.inputs4) {
    return;
  }
  let n = layer.inputs4;
  let at = own_row * n + k + own_k;
  replace(at, tile[0]);
  replace(at + n, tile[1]);
  replace(at + 2u * n, tile[2]);
  replace(at + 3u * n, tile[3]);
}
