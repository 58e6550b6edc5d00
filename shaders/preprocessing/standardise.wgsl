// x[r,c] = (x[r,c] - mean[c]) * inv_std[c]
//
// In place.
// Grid: one invocation per vec4 of x; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

struct Shape {
  values4: u32,
  cols4: u32,
}

@group(0) @binding(0) var<storage, read> mean: array<vec4f>;     // [cols4]
@group(0) @binding(1) var<storage, read> inv_std: array<vec4f>;  // [cols4]
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;  // [rows, cols4]
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= shape.values4) {
    return;
  }
  let c = i % shape.cols4;
  x[i] = (x[i] - mean[c]) * inv_std[c];
}
