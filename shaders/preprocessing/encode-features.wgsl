// x[r,f] = columns[plus[f]][r] - columns[minus[f]][r], or columns[plus[f]][r] where minus[f] is NONE
//
// Planar columns in, row-major padded rows out. A missing operand gives a missing feature: values travel as
// bits, because an implementation may assume that arithmetic never meets NaN.
// Grid: one invocation per vec4 of x, rows fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

const NONE = 0xffffffffu;
const NAN = 0x7fc00000u;

struct Shape {
  rows: u32,
  features: u32,
}

@group(0) @binding(0) var<storage, read> columns: array<u32>;    // [columns, rows], bits of f32
@group(0) @binding(1) var<storage, read> terms: array<vec2u>;    // [features], plus and minus
@group(0) @binding(2) var<storage, read_write> x: array<vec4u>;  // [rows, features4], bits of f32
@group(0) @binding(3) var<uniform> shape: Shape;

fn feature(r: u32, f: u32) -> u32 {
  if (f >= shape.features) {
    return 0u;
  }
  let term = terms[f];
  let plus = columns[term.x * shape.rows + r];
  if (term.y == NONE) {
    return plus;
  }
  let minus = columns[term.y * shape.rows + r];
  if (any(is_missing(vec4u(plus, minus, 0u, 0u)))) {
    return NAN;
  }
  return bitcast<u32>(bitcast<f32>(plus) - bitcast<f32>(minus));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let features4 = (shape.features + 3u) / 4u;
  if (i >= shape.rows * features4) {
    return;
  }
  let r = i % shape.rows;
  let c = i / shape.rows;
  let f = c * 4u;
  x[r * features4 + c] = vec4u(feature(r, f), feature(r, f + 1u), feature(r, f + 2u), feature(r, f + 3u));
}
