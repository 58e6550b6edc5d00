// The gradient that an optimiser follows: the batch's, clipped, with the terms that hold the weights back.
override CLIPPED: bool = false;

// g * clip_scale + l2 * w + proximal_mu * (w - w0) + correction, with g the sum of its row slices
fn full_gradient(i: u32) -> vec4f {
  var g = slice_sum(i, arrayLength(&w));
  if (CLIPPED) {
    g *= clip_scale[0];
  }
  g += terms.l2 * w[i];
  if (terms.proximal_mu != 0) {
    g += terms.proximal_mu * (w[i] - w0[i]);
  }
  if (terms.corrected == 1u) {
    g += correction[i];
  }
  return g;
}
