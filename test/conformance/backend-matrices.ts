import { describe, expect, test } from "vitest";
import { firstDifference, firstMismatch } from "../oracle/close.ts";
import { encodeFeatures, impute, standardise } from "../oracle/preprocessing.ts";
import type { BackendOf } from "./backend.ts";
import { uniform } from "./samples.ts";

const SHAPES = [
  { rows: 1, cols: 1 },
  { rows: 1, cols: 9 },
  { rows: 3, cols: 1 },
  { rows: 5, cols: 3 },
  { rows: 64, cols: 16 },
  { rows: 257, cols: 7 },
  { rows: 1021, cols: 5 },
];
const { NaN: MISSING, POSITIVE_INFINITY: INFINITE } = Number;

/** Quiet and signalling, positive and negative, smallest and largest payload. */
const NAN_BITS = [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff];

function bitsOf(values: Float32Array<ArrayBuffer>): number[] {
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

/** Values, every NaN above, both infinities and both zeros, three times over. */
function specialValues(): Float32Array<ArrayBuffer> {
  const words = Uint32Array.from([
    ...NAN_BITS,
    0x7f800000,
    0xff800000,
    0,
    0x80000000,
    0x3f800000,
    0xc2280000,
  ]);
  const values = new Float32Array(words.length * 3);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < 3; i++) bits.set(words, i * words.length);
  return values;
}

/** Matrices and what changes them in place. */
export function describeMatrices(backend: BackendOf): void {
  test("a matrix gives back every bit it was made of", async () => {
    const values = specialValues();
    const x = backend().matrix(values, 12, 3);
    expect([x.rows, x.cols]).toEqual([12, 3]);
    expect(bitsOf(await backend().read(x))).toEqual(bitsOf(values));
    x.dispose();
  });

  test("a matrix is a copy of the caller's values", async () => {
    const values = uniform(12, 1);
    const before = values.slice();
    const x = backend().matrix(values, 4, 3);
    values.fill(9);
    expect(firstDifference(await backend().read(x), before)).toBeNull();
    x.dispose();
  });

  test("a matrix of no rows reads as nothing", async () => {
    const x = backend().matrix(new Float32Array(0), 0, 4);
    expect((await backend().read(x)).length).toBe(0);
    x.dispose();
  });

  test("a matrix of another length than rows times cols is refused as shape_mismatch", () => {
    expect(() => backend().matrix(uniform(11, 1), 4, 3)).toThrowError(
      expect.objectContaining({ code: "shape_mismatch" }),
    );
  });

  describeEncoding(backend);
  describeInPlace(backend);
}

function describeEncoding(backend: BackendOf): void {
  describe("encodeFeatures", () => {
    const terms = [
      { plus: 0, minus: null },
      { plus: 1, minus: 2 },
      { plus: 2, minus: 1 },
      { plus: 2, minus: null },
      { plus: 0, minus: 0 },
    ];

    test.each([0, 1, 2, 5, 1021, 9001])("gives columns and their differences of %i rows", async (rows) => {
      // One buffer with a value before each column, as Arrow has them.
      const arrow = uniform(3 * (rows + 1), 2, 30);
      const columns = [0, 1, 2].map((c) => arrow.subarray(c * (rows + 1) + 1, (c + 1) * (rows + 1)));
      for (let r = 0; r < rows; r += 3) columns[r % 2]?.fill(MISSING, r, r + 1);
      const x = backend().encodeFeatures(columns, terms);
      expect([x.rows, x.cols]).toEqual([rows, terms.length]);
      // A difference of two float32 is rounded once, so the same everywhere.
      expect(firstDifference(await backend().read(x), encodeFeatures(columns, terms))).toBeNull();
      x.dispose();
    });

    test("keeps NaN of every bit pattern missing and infinities infinite", async () => {
      const special = specialValues();
      const columns = [special, uniform(special.length, 3), uniform(special.length, 4)];
      const termsOfSpecial = [
        { plus: 0, minus: null },
        { plus: 0, minus: 1 },
        { plus: 1, minus: 0 },
      ];
      const x = backend().encodeFeatures(columns, termsOfSpecial);
      const expected = encodeFeatures(columns, termsOfSpecial);
      expect(firstDifference(await backend().read(x), expected)).toBeNull();
      x.dispose();
    });

    test("refuses columns of different lengths as shape_mismatch", () => {
      expect(() =>
        backend().encodeFeatures([uniform(4, 1), uniform(5, 1)], [{ plus: 0, minus: 1 }]),
      ).toThrowError(expect.objectContaining({ code: "shape_mismatch" }));
    });

    test("refuses a term of a column that is not there as shape_mismatch", () => {
      expect(() => backend().encodeFeatures([uniform(4, 1)], [{ plus: 0, minus: 1 }])).toThrowError(
        expect.objectContaining({ code: "shape_mismatch" }),
      );
    });
  });
}

function describeInPlace(backend: BackendOf): void {
  test.each(SHAPES)(
    "impute fills what is missing of $rows x $cols and nothing else",
    async ({ rows, cols }) => {
      const values = uniform(rows * cols, 5, 100);
      const bits = new Uint32Array(values.buffer);
      for (let i = 0; i < values.length; i += 3) bits[i] = NAN_BITS[i % NAN_BITS.length] ?? 0;
      for (let i = 1; i < values.length; i += 7) values[i] = i % 2 === 0 ? INFINITE : -INFINITE;
      const fill = uniform(cols, 6, 10);
      const x = backend().matrix(values, rows, cols);
      backend().impute(x, fill);
      expect(firstDifference(await backend().read(x), impute(values, fill))).toBeNull();
      x.dispose();
    },
  );

  test.each(SHAPES)("standardise of $rows x $cols is as in float64", async ({ rows, cols }) => {
    const values = uniform(rows * cols, 7, 100);
    const mean = uniform(cols, 8, 100);
    const invStd = uniform(cols, 9, 2);
    const x = backend().matrix(values, rows, cols);
    backend().standardise(x, mean, invStd);
    const expected = standardise(values, mean, invStd);
    // One difference and one product, each within 2^-24; WGSL may flush what is below 2^-126.
    const tolerance = { rtol: 2 ** -23, atol: 2 ** -126 };
    expect(firstMismatch(await backend().read(x), expected, tolerance)).toBeNull();
    x.dispose();
  });

  test("standardise keeps what is missing missing", async () => {
    const x = backend().matrix(Float32Array.of(1, MISSING, MISSING, 4), 2, 2);
    backend().standardise(x, Float32Array.of(1, 2), Float32Array.of(1, 0.5));
    expect(firstDifference(await backend().read(x), [0, MISSING, MISSING, 1])).toBeNull();
    x.dispose();
  });

  test("impute and standardise of no rows do nothing", async () => {
    const x = backend().matrix(new Float32Array(0), 0, 2);
    backend().impute(x, uniform(2, 1));
    backend().standardise(x, uniform(2, 1), uniform(2, 1));
    expect((await backend().read(x)).length).toBe(0);
    x.dispose();
  });

  test("impute and standardise refuse vectors of another width as shape_mismatch", () => {
    const x = backend().matrix(uniform(6, 1), 2, 3);
    const refusal = expect.objectContaining({ code: "shape_mismatch" });
    expect(() => backend().impute(x, uniform(2, 1))).toThrowError(refusal);
    expect(() => backend().standardise(x, uniform(3, 1), uniform(4, 1))).toThrowError(refusal);
    expect(() => backend().standardise(x, uniform(2, 1), uniform(3, 1))).toThrowError(refusal);
    x.dispose();
  });
}
