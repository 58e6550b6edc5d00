import { readFileSync } from "node:fs";
import { instantiateKernels } from "../../../wasm/index.ts";
import { describeProducts } from "../../conformance/products.ts";

for (const build of ["kernels", "kernels-shared"]) {
  const bytes = readFileSync(new URL(`../../../wasm/dist/${build}.wasm`, import.meta.url));
  describeProducts(build, () => instantiateKernels(bytes));
}
