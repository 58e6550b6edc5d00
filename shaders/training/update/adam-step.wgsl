// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
// w -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay * w,
// with g of full_gradient and decay 0 but for AdamW
//
// Grid: one invocation per vec4 of w; workgroups wrap into y past 65535.
// Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; AdamW, Loshchilov and Hutter 2019, arXiv:1711.05101.
override WORKGROUP_SIZE: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;    // [slices, values4]
@group(0) @binding(1) var<storage, read_write> w: array<vec4f>;     // [values4]
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;     // [values4]
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;     // [values4]
@group(0) @binding(4) var<storage, read> w0: array<vec4f>;          // [values4] where the proximal term is on
@group(0) @binding(5) var<storage, read> correction: array<vec4f>;  // [values4] where there is one
@group(0) @binding(6) var<storage, read> clip_scale: array<f32>;    // [1, or more]
@group(0) @binding(7) var<uniform> terms: Terms;
@group(0) @binding(8) var<uniform> step: Step;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= arrayLength(&w)) {
    return;
  }
  let g = full_gradient(i);
  let mean = step.beta1 * m[i] + step.one_minus_beta1 * g;
  let square = step.beta2 * v[i] + step.one_minus_beta2 * g * g;
  m[i] = mean;
  v[i] = square;
  let decayed = w[i] - step.decay * w[i];
  w[i] = decayed - step.rate * (mean * step.m_scale) / (sqrt(square * step.v_scale) + step.epsilon);
}
