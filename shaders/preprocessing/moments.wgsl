// Of every column over each chunk of rows: count, min, max, and sums of d = x - shift - centre and d^2
//
// `shift` is the chunk's first present value and `centre` the mean of x - shift, so that d is small however
// far the column lies from 0. The host merges chunks in float64. Sums are of blocks of 16 rows, then of
// blocks: at most 32 roundings in a row. Missing values add nothing.
// Grid: one invocation per chunk and vec4 of columns, columns fastest; workgroups wrap into y past 65535.
override WORKGROUP_SIZE: u32 = 64;
override CHUNK_ROWS: u32 = 256;

const BLOCK_ROWS = 16u;

struct Shape {
  rows: u32,
  cols4: u32,
}

struct Partial {
  count: vec4f,
  shift: vec4f,
  centre: vec4f,
  sum: vec4f,
  sum_of_squares: vec4f,
  low: vec4f,
  high: vec4f,
}

@group(0) @binding(0) var<storage, read> x: array<vec4u>;               // [rows, cols4], bits of f32
@group(0) @binding(1) var<storage, read_write> partials: array<Partial>; // [chunks, cols4]
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP_SIZE + id.x;
  let c = i % shape.cols4;
  let start = (i / shape.cols4) * CHUNK_ROWS;
  if (start >= shape.rows) {
    return;
  }
  let end = min(start + CHUNK_ROWS, shape.rows);

  var found: Partial;
  for (var block = start; block < end; block += BLOCK_ROWS) {
    var sum = vec4f(0);
    for (var r = block; r < min(block + BLOCK_ROWS, end); r++) {
      let bits = x[r * shape.cols4 + c];
      let present = !is_missing(bits);
      let first = present & (found.count == vec4f(0));
      let value = select(found.shift, bitcast<vec4f>(bits), present);
      found.shift = select(found.shift, value, first);
      found.low = select(min(found.low, value), value, first);
      found.high = select(max(found.high, value), value, first);
      found.count += select(vec4f(0), vec4f(1), present);
      sum += value - found.shift;
    }
    found.centre += sum;
  }
  found.centre /= max(found.count, vec4f(1));

  for (var block = start; block < end; block += BLOCK_ROWS) {
    var sum = vec4f(0);
    var sum_of_squares = vec4f(0);
    for (var r = block; r < min(block + BLOCK_ROWS, end); r++) {
      let bits = x[r * shape.cols4 + c];
      let d = select(vec4f(0), bitcast<vec4f>(bits) - found.shift - found.centre, !is_missing(bits));
      sum += d;
      sum_of_squares += d * d;
    }
    found.sum += sum;
    found.sum_of_squares += sum_of_squares;
  }
  partials[i] = found;
}
