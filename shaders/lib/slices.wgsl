// Sum of the row slices of one vec4 of the gradient, in slice order, so that results repeat to the bit.
fn slice_sum(i: u32, stride: u32) -> vec4f {
  var sum = partials[i];
  for (var at = i + stride; at < arrayLength(&partials); at += stride) {
    sum += partials[at];
  }
  return sum;
}
