import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { MultiplierSide, Operand, Product } from "../products.ts";
import { openTensorflow } from "./tensorflow.ts";

/** `tf.matMul` with its transpose flags, on one thread; operands stay on the device. */
export async function tensorflowProduct({ a, b, transposeA, transposeB }: Product): Promise<MultiplierSide> {
  const tf = await openTensorflow("wasm", 1);
  const matrix = ({ values, shape }: Operand): Tensor2D => tf.tensor2d(values, [...shape]);
  const [left, right] = [matrix(a), matrix(b)];
  let last: Tensor | null = null;
  return {
    async once() {
      last?.dispose();
      // WebAssembly computes before the call returns.
      last = tf.matMul(left, right, transposeA, transposeB);
      return 0;
    },
    async result() {
      if (last === null) throw new Error("unreachable: nothing was multiplied");
      return (await last.data()) as Float32Array;
    },
    dispose: () => tf.dispose([left, right]),
  };
}
