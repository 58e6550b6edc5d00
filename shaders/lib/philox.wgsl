// Philox 4x32-10: the words of protocol/random.ts, to the bit.
//
// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11.
const PHILOX_MULTIPLIERS = vec2u(0xd2511f53u, 0xcd9e8d57u);
const PHILOX_WEYL = vec2u(0x9e3779b9u, 0xbb67ae85u); // golden ratio; sqrt(3) - 1
const PHILOX_ROUNDS = 10u;

// The high 32 bits of the 64-bit products.
fn multiply_high(a: vec2u, b: vec2u) -> vec2u {
  let a_low = a & vec2u(0xffff);
  let a_high = a >> vec2u(16);
  let b_low = b & vec2u(0xffff);
  let b_high = b >> vec2u(16);
  let middle = a_high * b_low + ((a_low * b_low) >> vec2u(16));
  let cross = a_low * b_high + (middle & vec2u(0xffff));
  return a_high * b_high + (middle >> vec2u(16)) + (cross >> vec2u(16));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var words = counter;
  var round_key = key;
  for (var round = 0u; round < PHILOX_ROUNDS; round++) {
    let factors = words.xz;
    let low = factors * PHILOX_MULTIPLIERS;
    let mixed = multiply_high(factors, PHILOX_MULTIPLIERS).yx ^ words.yw ^ round_key;
    words = vec4u(mixed.x, low.y, mixed.y, low.x);
    round_key += PHILOX_WEYL;
  }
  return words;
}
