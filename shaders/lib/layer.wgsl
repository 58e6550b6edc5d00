// One dense layer. Rows of weights, activations and gradients are padded to whole vec4s with zeros; the
// parameters are a matrix [4 * inputs4 + 1, outputs4] whose last row is the bias.
struct Layer {
  inputs4: u32,       // vec4s in a row of inputs
  outputs4: u32,      // vec4s in a row of outputs
  outputs: u32,
  parameters_at: u32, // of weight[0, 0] in its group's parameters, in vec4s
  relu: u32,          // 1 where the outputs pass a ReLU in the dense kernel itself
  gathered: u32,      // 1 where the inputs are the gathered rows, which start at first_row
  slices: u32,        // row slices of a partial gradient
  slice_stride: u32,  // vec4s from one slice to the next
  mask: u32,          // 1 where the inputs are what such a ReLU let through, so that their signs mask derivatives
  index: u32,         // place of the layer, from 0
}
