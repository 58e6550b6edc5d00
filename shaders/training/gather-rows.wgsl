// gathered[s] = x[order[s]], or zeros where order[s] is PAD
//
// Once a submit, so that the layers read their batches in one piece and never meet another batch's rows.
// Grid: one invocation per vec4 of gathered; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;

const PAD = 0xffffffffu;

struct Shape {
  slots: u32,
  cols4: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;                // [rows, cols4]
@group(0) @binding(1) var<storage, read> order: array<u32>;              // [slots]
@group(0) @binding(2) var<storage, read_write> gathered: array<vec4f>;   // [slots, cols4]
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= shape.slots * shape.cols4) {
    return;
  }
  let row = order[i / shape.cols4];
  if (row == PAD) {
    gathered[i] = vec4f(0);
  } else {
    gathered[i] = x[row * shape.cols4 + i % shape.cols4];
  }
}
