// What is done to a batch's gradient before the optimiser follows it; the same from one load to the next.
struct Terms {
  l2: f32,
  proximal_mu: f32,   // 0 where w0 is not there
  corrected: u32,     // 1 where the correction is there
  clip_norm: f32,
}
