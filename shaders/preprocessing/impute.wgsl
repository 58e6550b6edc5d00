// x[r,c] = is_missing(x[r,c]) ? fill[c] : x[r,c]
//
// In place, as bits.
// Grid: one invocation per vec4 of x; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

struct Shape {
  values4: u32,
  cols4: u32,
}

@group(0) @binding(0) var<storage, read> fill: array<vec4u>;     // [cols4], bits of f32
@group(0) @binding(1) var<storage, read_write> x: array<vec4u>;  // [rows, cols4], bits of f32
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= shape.values4) {
    return;
  }
  let bits = x[i];
  x[i] = select(bits, fill[i % shape.cols4], is_missing(bits));
}
