// loss[r] += c * (log( sum_o exp(z[r,o]) ) - z[r,class]); z[r,o] = c * (softmax(z)[r,o] - [o = class]) / batch rows,
// with c the weight of the row's class, 1 where there are no weights
//
// In place: logits give way to the derivative of the batch's mean loss; padding becomes 0. Exponents are
// taken of z - max, so none overflows.
// Grid: one invocation per row; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;
override WEIGHTED: bool;

const LOWEST = -3.4028234e38;

@group(0) @binding(0) var<storage, read> classes: array<u32>;       // [rows of the training set]
@group(0) @binding(1) var<storage, read> order: array<u32>;         // [slots]
@group(0) @binding(2) var<storage, read> class_weights: array<f32>; // [outputs] where there are any
@group(0) @binding(3) var<storage, read_write> z: array<vec4f>;     // [padded_rows, outputs4]
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;  // [padded_rows]
@group(0) @binding(5) var<uniform> layer: Layer;
@group(0) @binding(6) var<uniform> step: Step;

fn logits(at: u32, o: u32) -> vec4f {
  let output = vec4u(4u * o) + vec4u(0, 1, 2, 3);
  return select(vec4f(LOWEST), z[at + o], output < vec4u(layer.outputs));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let r = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (r >= step.padded_rows) {
    return;
  }
  let at = r * layer.outputs4;
  if (r >= step.rows) {
    for (var o = 0u; o < layer.outputs4; o++) {
      z[at + o] = vec4f(0);
    }
    return;
  }

  var highest = vec4f(LOWEST);
  for (var o = 0u; o < layer.outputs4; o++) {
    highest = max(highest, logits(at, o));
  }
  let peak = max(max(highest.x, highest.y), max(highest.z, highest.w));
  var sums = vec4f(0);
  for (var o = 0u; o < layer.outputs4; o++) {
    sums += exp(logits(at, o) - peak);
  }
  let sum = (sums.x + sums.y) + (sums.z + sums.w);

  let label = classes[order[step.first_row + r]];
  var weight = 1.0;
  if (WEIGHTED) {
    weight = class_weights[label];
  }
  losses[r] += weight * (log(sum) - (z[at + label / 4u][label % 4u] - peak));
  for (var o = 0u; o < layer.outputs4; o++) {
    let hit = vec4u(4u * o) + vec4u(0, 1, 2, 3) == vec4u(label);
    let p = exp(logits(at, o) - peak) / sum;
    z[at + o] = (p - select(vec4f(0), vec4f(1), hit)) * (weight * step.inverse_rows);
  }
}
