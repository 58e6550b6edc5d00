import { describe, expect, test } from "vitest";
import { initialise, type ModelSpec, parameterCount } from "../../../protocol/model.ts";
import { decodeSafeTensors, encodeSafeTensors, type SafeTensor } from "../../../protocol/safetensors.ts";
import { decodeWeights, encodeWeights } from "../../../protocol/weights.ts";

const SPEC: ModelSpec = {
  inputs: 3,
  hidden: [4],
  outputs: 2,
  activation: "relu",
  head: "softmax-cross-entropy",
};

describe("the weights codec", () => {
  test.each([[[]], [[1]], [[4]], [[5, 2, 3]]])(
    "gives back every parameter for hidden layers %j",
    (hidden) => {
      const spec = { ...SPEC, hidden };
      const parameters = initialise(spec, 1).map((value, i) => value + i);
      expect(decodeWeights(spec, encodeWeights(spec, parameters, {}))).toEqual(parameters);
    },
  );

  test("names tensors by layer and lays weights out as [inputs, outputs]", () => {
    const parameters = Float32Array.from({ length: parameterCount(SPEC) }, (_, i) => i);
    const { tensors, metadata } = decodeSafeTensors(encodeWeights(SPEC, parameters, { round: "3" }));
    expect(metadata).toEqual({ round: "3" });
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ["layers.0.weight", [3, 4]],
      ["layers.0.bias", [4]],
      ["layers.1.weight", [4, 2]],
      ["layers.1.bias", [2]],
    ]);
    expect([...(tensors.get("layers.0.bias")?.values ?? [])]).toEqual([12, 13, 14, 15]);
    expect([...(tensors.get("layers.1.weight")?.values ?? [])]).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
  });

  test("reads tensors in whatever order they lie", () => {
    const parameters = initialise(SPEC, 1);
    const { tensors, metadata } = decodeSafeTensors(encodeWeights(SPEC, parameters, {}));
    const reversed = encodeSafeTensors({ tensors: new Map([...tensors].toReversed()), metadata });
    expect(decodeWeights(SPEC, reversed)).toEqual(parameters);
  });

  test("refuses a vector of another length as shape_mismatch", () => {
    expect(() => encodeWeights(SPEC, new Float32Array(25), {})).toThrow(
      expect.objectContaining({ code: "shape_mismatch", message: "25 parameters, the model has 26" }),
    );
  });

  test.each<[string, (tensors: Map<string, SafeTensor>) => void, RegExp]>([
    ["lacks a tensor", (t) => void t.delete("layers.1.bias"), /3 tensors, the model has 4/],
    [
      "has a tensor more",
      (t) => void t.set("layers.2.bias", { dtype: "F32", shape: [0], values: new Float32Array(0) }),
      /5 tensors, the model has 4/,
    ],
    [
      "has a tensor under another name",
      (t) => {
        const bias = t.get("layers.1.bias");
        t.delete("layers.1.bias");
        if (bias) t.set("layers.1.b", bias);
      },
      /"layers.1.bias" is missing, wanted F32 \[2\]/,
    ],
    [
      "has a transposed tensor",
      (t) => void t.set("layers.0.weight", { dtype: "F32", shape: [4, 3], values: new Float32Array(12) }),
      /"layers.0.weight" is F32 \[4, 3\], wanted F32 \[3, 4\]/,
    ],
    [
      "has a float64 tensor",
      (t) => void t.set("layers.0.bias", { dtype: "F64", shape: [4], values: new Float64Array(4) }),
      /"layers.0.bias" is F64 \[4\], wanted F32 \[4\]/,
    ],
  ])("refuses a file that %s as shape_mismatch", (_what, change, message) => {
    const { metadata, tensors } = decodeSafeTensors(encodeWeights(SPEC, initialise(SPEC, 1), {}));
    const changed = new Map(tensors);
    change(changed);
    const decode = () => decodeWeights(SPEC, encodeSafeTensors({ tensors: changed, metadata }));
    expect(decode).toThrow(expect.objectContaining({ code: "shape_mismatch" }));
    expect(decode).toThrow(message);
  });

  test("passes non-finite values on, for the coordinator to judge", () => {
    const parameters = initialise(SPEC, 1).fill(Number.NaN);
    expect(decodeWeights(SPEC, encodeWeights(SPEC, parameters, {}))).toEqual(parameters);
  });
});
