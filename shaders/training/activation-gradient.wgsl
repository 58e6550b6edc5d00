// d[r,u] *= slope[r,u]
//
// The derivative by a hidden layer's activations gives way to that by what entered them.
// Grid: one invocation per vec4 of d; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> slope: array<vec4f>;    // [padded_rows, outputs4]
@group(0) @binding(1) var<storage, read_write> d: array<vec4f>;  // [padded_rows, outputs4]
@group(0) @binding(2) var<uniform> layer: Layer;
@group(0) @binding(3) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= step.padded_rows * layer.outputs4) {
    return;
  }
  d[i] *= slope[i];
}
