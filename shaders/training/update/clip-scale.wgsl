// clip_scale = min(1, clip_norm / |g|), with |g|^2 the total of sum-of-squares
//
// Grid: one workgroup; each invocation adds up every WORKGROUP_SIZE-th sum, the first one their totals in order.
override WORKGROUP_SIZE: u32 = 64;

const LARGEST = 3.4028234e38;
const LARGER = 18446744073709551616.0; // 2^64

@group(0) @binding(0) var<storage, read> sums: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> clip_scale: array<f32>;  // [1, or more]
@group(0) @binding(2) var<uniform> terms: Terms;

var<workgroup> totals: array<vec2f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
  var own = vec2f(0);
  for (var i = local; i < arrayLength(&sums); i += WORKGROUP_SIZE) {
    own += sums[i];
  }
  totals[local] = own;
  workgroupBarrier();
  if (local > 0u) {
    return;
  }
  var total = vec2f(0);
  for (var i = 0u; i < WORKGROUP_SIZE; i++) {
    total += totals[i];
  }
  var norm = sqrt(total.x);
  if (total.x > LARGEST) {
    norm = sqrt(total.y) * LARGER;
  }
  clip_scale[0] = select(1.0, terms.clip_norm / norm, norm > terms.clip_norm);
}
