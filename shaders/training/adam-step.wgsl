// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
// w -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), with g the sum of its row slices
//
// Grid: one invocation per vec4 of w; workgroups wrap into y past 65535.
// Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;  // [slices, values4]
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;   // [values4]
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;   // [values4]
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;   // [values4]
@group(0) @binding(4) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= arrayLength(&w)) {
    return;
  }
  let g = slice_sum(i, arrayLength(&w));
  let mean = step.beta1 * m[i] + step.one_minus_beta1 * g;
  let square = step.beta2 * v[i] + step.one_minus_beta2 * g * g;
  m[i] = mean;
  v[i] = square;
  w[i] -= step.rate * (mean * step.m_scale) / (sqrt(square * step.v_scale) + step.epsilon);
}
