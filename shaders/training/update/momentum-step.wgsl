// v = momentum * v + g; w -= rate * v, or rate * (g + momentum * v) with Nesterov's; g of full_gradient
//
// Grid: one invocation per vec4 of w; workgroups wrap into y past 65535.
// Source: Nesterov's momentum as in Sutskever et al. 2013.
override WORKGROUP_SIZE: u32 = 64;
override NESTEROV: bool;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;    // [slices, values4]
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;     // [values4]
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;     // [values4]
@group(0) @binding(3) var<storage, read> w0: array<vec4f>;          // [values4] where the proximal term is on
@group(0) @binding(4) var<storage, read> correction: array<vec4f>;  // [values4] where there is one
@group(0) @binding(5) var<storage, read> clip_scale: array<f32>;    // [1, or more]
@group(0) @binding(6) var<uniform> terms: Terms;
@group(0) @binding(7) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= arrayLength(&w)) {
    return;
  }
  let g = full_gradient(i);
  let velocity = step.beta1 * v[i] + g;
  v[i] = velocity;
  if (NESTEROV) {
    w[i] -= step.rate * (g + step.beta1 * velocity);
  } else {
    w[i] -= step.rate * velocity;
  }
}
