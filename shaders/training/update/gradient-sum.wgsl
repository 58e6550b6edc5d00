// gradient = (fresh ? 0 : gradient) + the sum of the row slices
//
// Adds up a batch that was computed in parts.
// Grid: one invocation per vec4 of the gradient; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;        // [slices, values4]
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4f>;  // [values4]
@group(0) @binding(2) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= arrayLength(&gradient)) {
    return;
  }
  let earlier = select(gradient[i], vec4f(0), step.fresh == 1u);
  gradient[i] = earlier + slice_sum(i, arrayLength(&gradient));
}
