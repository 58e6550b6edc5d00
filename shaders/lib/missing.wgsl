// Which lanes are missing, that is NaN. By bits: compilers may take `x != x` for false.
fn is_missing(bits: vec4u) -> vec4<bool> {
  return (bits & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}
