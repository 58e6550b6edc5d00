// y[r,o] = activation( sum_i x[r,i] * w[i,o] + b[o] )        Dense layer, ReLU or linear.
//
// The same sums as dense.wgsl, to the bit, in a tile of 32 rows x 32 outputs per workgroup: its 64 invocations
// compute 4 x 4 each, from 16 inputs at a time that they have brought into workgroup memory together.
// Grid: one workgroup per tile, outputs fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64; // SIDE * SIDE, and nothing else

const SIDE = 8u;   // vec4s, or rows / 4, of a tile
const DEPTH = 4u;  // vec4s of inputs at a time

@group(0) @binding(0) var<storage, read> x: array<vec4f>;           // [rows, inputs4]
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [4 * inputs4 + 1, outputs4] at parameters_at
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;     // [padded_rows, outputs4]
@group(0) @binding(3) var<uniform> layer: Layer;
@group(0) @binding(4) var<uniform> step: Step;

var<workgroup> x_part: array<vec4f, 4 * SIDE * DEPTH>;  // [32 rows, DEPTH]
var<workgroup> w_part: array<vec4f, 4 * SIDE * DEPTH>;  // [16 inputs, SIDE]

fn activation(row: vec4f) -> vec4f {
  // Not max: it may drop a NaN, and a model that diverged must show it.
  return select(row, vec4f(0), (row < vec4f(0)) & vec4<bool>(layer.relu == 1u));
}

fn bring(local: u32, r: u32, o: u32, k: u32) {
  // Past the ends the last row, vec4 or input is brought again and not used.
  let last_row = step.padded_rows - 1u;
  for (var i = local; i < 4u * SIDE * DEPTH; i += SIDE * SIDE) {
    let x_row = min(r + i / DEPTH, last_row) + layer.gathered * step.first_row;
    x_part[i] = x[x_row * layer.inputs4 + min(k + i % DEPTH, layer.inputs4 - 1u)];
    let w_row = min(4u * k + i / SIDE, 4u * layer.inputs4 - 1u);
    w_part[i] = parameters[layer.parameters_at + w_row * layer.outputs4 + min(o + i % SIDE, layer.outputs4 - 1u)];
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = id.y * groups.x + id.x;
  let tiles = (layer.outputs4 + SIDE - 1u) / SIDE;
  let r = (i / tiles) * 4u * SIDE;
  if (r >= step.padded_rows) {
    return;
  }
  let o = (i % tiles) * SIDE;
  let own_r = local / SIDE;
  let own_o = local % SIDE;

  let bias_at = layer.parameters_at + 4u * layer.inputs4 * layer.outputs4;
  let b = parameters[bias_at + min(o + own_o, layer.outputs4 - 1u)];
  var tile = mat4x4f(b, b, b, b);
  for (var k = 0u; k < layer.inputs4; k += DEPTH) {
    bring(local, r, o, k);
    workgroupBarrier();
    for (var part = 0u; part < min(DEPTH, layer.inputs4 - k); part++) {
      let w_at = 4u * part * SIDE + own_o;
      let x_at = 4u * own_r * DEPTH + part;
      let w = mat4x4f(w_part[w_at], w_part[w_at + SIDE], w_part[w_at + 2u * SIDE], w_part[w_at + 3u * SIDE]);
      tile += w * mat4x4f(x_part[x_at], x_part[x_at + DEPTH], x_part[x_at + 2u * DEPTH], x_part[x_at + 3u * DEPTH]);
    }
    workgroupBarrier();
  }

  let own_row = r + 4u * own_r;
  if (own_row >= step.padded_rows || o + own_o >= layer.outputs4) {
    return;
  }
  let n = layer.outputs4;
  let at = own_row * n + o + own_o;
  y[at] = activation(tile[0]);
  y[at + n] = activation(tile[1]);
  y[at + 2u * n] = activation(tile[2]);
  y[at + 3u * n] = activation(tile[3]);
}
