// z[r,u] = k * f(z[r,u]); slope[r,u] = k * f'(z[r,u]), with f the activation of a hidden layer
//
// In place. With dropout k is 0 for a unit that is dropped and kept_scale for one that is not, else 1.
// Selections, not min and max: those may drop a NaN, and a model that diverged must show it.
// Grid: one invocation per vec4 of z; workgroups wrap into y past 65535.
// Sources: GELU in its tanh form, Hendrycks and Gimpel 2016, arXiv:1606.08415; tanh as tanhf of Moshier's
// Cephes library, as WGSL's own may err by 1e-5.
override WORKGROUP_SIZE: u32 = 64;
override ACTIVATION: u32; // 0 identity, 1 relu, 2 gelu, 3 tanh
override DROPOUT: bool;
override DROPOUT_STREAM: u32 = 0;

@group(0) @binding(0) var<storage, read_write> z: array<vec4f>;      // [padded_rows, outputs4]
@group(0) @binding(1) var<storage, read_write> slope: array<vec4f>;  // [padded_rows, outputs4]
@group(0) @binding(2) var<uniform> layer: Layer;
@group(0) @binding(3) var<uniform> step: Step;

const GELU_SCALE = 0.7978845608028654; // sqrt(2 / pi)
const GELU_CUBE = 0.044715;

struct Activated {
  value: vec4f,
  slope: vec4f,
}

fn bounded(x: vec4f, bound: f32) -> vec4f {
  return select(select(x, vec4f(bound), x > vec4f(bound)), vec4f(-bound), x < vec4f(-bound));
}

fn tanh_of(x: vec4f) -> vec4f {
  let size = abs(bounded(x, 15.0)); // where tanh is 1 and exp far from overflow
  let square = size * size;
  var near = vec4f(-5.70498872745e-3);
  near = near * square + 2.06390887954e-2;
  near = near * square - 5.37397155531e-2;
  near = near * square + 1.33314422036e-1;
  near = near * square - 3.33332819422e-1;
  near = near * square * size + size;
  let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
  let result = select(far, near, size < vec4f(0.625));
  let signed = select(result, -result, x < vec4f(0));
  return select(signed, x, is_missing(bitcast<vec4u>(x))); // exp may drop a NaN as well
}

fn gelu(x: vec4f) -> Activated {
  let t = tanh_of(GELU_SCALE * (x + GELU_CUBE * x * x * x));
  // Past 10 the slope is 0 or 1, and the product of its factors would be infinity times 0.
  let near = bounded(x, 10.0);
  let inner = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * near * near);
  return Activated(0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * near * (1.0 - t * t) * inner);
}

fn activated(x: vec4f) -> Activated {
  switch (ACTIVATION) {
    case 1u: {
      return Activated(select(x, vec4f(0), x < vec4f(0)), select(vec4f(0), vec4f(1), x > vec4f(0)));
    }
    case 2u: {
      return gelu(x);
    }
    case 3u: {
      let t = tanh_of(x);
      return Activated(t, 1.0 - t * t);
    }
    default: {
      return Activated(x, vec4f(1));
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  if (i >= step.padded_rows * layer.outputs4) {
    return;
  }
  var unit = activated(z[i]);
  if (DROPOUT && step.drop_below > 0u) {
    let row = step.batch_row + i / layer.outputs4;
    let counter = vec4u(i % layer.outputs4, row, step.taken, layer.index);
    let words = philox(counter, vec2u(step.dropout_seed, DROPOUT_STREAM));
    let dropped = words < vec4u(step.drop_below);
    unit.value = select(unit.value * step.kept_scale, vec4f(0), dropped);
    unit.slope = select(unit.slope * step.kept_scale, vec4f(0), dropped);
  }
  z[i] = unit.value;
  slope[i] = unit.slope;
}
