// w -= rate * g, with g the sum of its row slices
//
// Grid: one invocation per vec4 of w; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;  // [slices, values4]
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;   // [values4]
@group(0) @binding(2) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= arrayLength(&w)) {
    return;
  }
  w[i] -= step.rate * slice_sum(i, arrayLength(&w));
}
