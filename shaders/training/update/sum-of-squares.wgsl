// sums[first + k] = sum of |gradient[i]|^2 over i = k, k + count, k + 2 count, …; for each k below count
//
// A second sum of the gradient scaled by 2^-64 stands in where the squares themselves overflow.
// Grid: one invocation per k; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

const SMALLER = 5.421010862427522e-20; // 2^-64

struct Shape {
  first: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;    // [values4]
@group(0) @binding(1) var<storage, read_write> sums: array<vec2f>;  // [first + count, or more]
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let k = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (k >= shape.count) {
    return;
  }
  var sum = vec2f(0);
  for (var i = k; i < arrayLength(&gradient); i += shape.count) {
    let g = gradient[i];
    let smaller = g * SMALLER;
    sum += vec2f(dot(g, g), dot(smaller, smaller));
  }
  sums[shape.first + k] = sum;
}
