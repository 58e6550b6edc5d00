// The least of ONNX that a multilayer perceptron or one product needs, as bytes of protocol buffers.
// Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { type ModelSpec, parameterLayout } from "../../protocol/model.ts";

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const ATTRIBUTE_INT = 2;

type Field = readonly [number: number, value: number | string | Uint8Array];

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** A message: integers as varints, text and messages by length. */
function message(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = fields.map(([number, value]) => {
    if (typeof value === "number") return Uint8Array.from([...varint(number * 8), ...varint(value)]);
    const body = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const head = [...varint(number * 8 + 2), ...varint(body.length)];
    const part = new Uint8Array(head.length + body.length);
    part.set(head);
    part.set(body, head.length);
    return part;
  });
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Node {
  readonly operator: "Gemm" | "Relu";
  readonly inputs: readonly string[];
  readonly output: string;
  /** Integers by name. */
  readonly attributes?: Readonly<Record<string, number>>;
}

interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

interface Graph {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly output: readonly [name: string, shape: readonly number[]];
}

const many = (number: number, values: readonly (string | number | Uint8Array)[]): Field[] =>
  values.map((value) => [number, value]);

function nodeMessage({ operator, inputs, output, attributes = {} }: Node): Uint8Array {
  const given = Object.entries(attributes).map(([name, value]) =>
    message([1, name], [3, value], [20, ATTRIBUTE_INT]),
  );
  return message(...many(1, inputs), [2, output], [4, operator], ...many(5, given));
}

function tensorMessage({ name, shape, values }: Initializer): Uint8Array {
  return message(...many(1, shape), [2, FLOAT], [8, name], [9, new Uint8Array(values.buffer)]);
}

function valueMessage([name, shape]: readonly [string, readonly number[]]): Uint8Array {
  const dimensions = message(
    ...many(
      1,
      shape.map((size) => message([1, size])),
    ),
  );
  return message([1, name], [2, message([1, message([1, FLOAT], [2, dimensions])])]);
}

function modelFile({ nodes, initializers, inputs, output }: Graph): Uint8Array<ArrayBuffer> {
  const graph = message(
    ...many(1, nodes.map(nodeMessage)),
    [2, "bench"],
    ...many(5, initializers.map(tensorMessage)),
    ...many(11, Object.entries(inputs).map(valueMessage)),
    [12, valueMessage(output)],
  );
  return message([1, IR_VERSION], [7, graph], [8, message([2, OPSET])]);
}

/** A ReLU perceptron of `rows` rows: input `x`, output `y`. */
export function perceptronFile(
  model: ModelSpec,
  parameters: Float32Array<ArrayBuffer>,
  rows: number,
): Uint8Array<ArrayBuffer> {
  const layers = parameterLayout(model);
  const last = layers.length - 1;
  const nodes = layers.flatMap((_, l): Node[] => {
    const inputs = [l === 0 ? "x" : `a${l}`, `w${l}`, `b${l}`];
    if (l === last) return [{ operator: "Gemm", inputs, output: "y" }];
    return [
      { operator: "Gemm", inputs, output: `z${l}` },
      { operator: "Relu", inputs: [`z${l}`], output: `a${l + 1}` },
    ];
  });
  const initializers = layers.flatMap(({ inputs, outputs, weightAt, biasAt }, l): Initializer[] => [
    { name: `w${l}`, shape: [inputs, outputs], values: parameters.slice(weightAt, biasAt) },
    { name: `b${l}`, shape: [outputs], values: parameters.slice(biasAt, biasAt + outputs) },
  ]);
  const inputs = { x: [rows, model.inputs] };
  return modelFile({ nodes, initializers, inputs, output: ["y", [rows, model.outputs]] });
}

/** One product, of `a` (or its transpose) and `b` (or its transpose): output `y`. */
export function productFile(wish: {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}): Uint8Array<ArrayBuffer> {
  const { a, b, transposeA, transposeB } = wish;
  const attributes = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
  const shape = [transposeA ? a[1] : a[0], transposeB ? b[0] : b[1]];
  return modelFile({
    nodes: [{ operator: "Gemm", inputs: ["a", "b"], output: "y", attributes }],
    initializers: [],
    inputs: { a, b },
    output: ["y", shape],
  });
}
