// The module's exports; `wasm/index.ts` describes them to TypeScript.

export { impute, standardise } from "./columnwise";
export { encodeFeature } from "./encode-features";
export { publishJob, serveJobs } from "./lanes";
export { moments } from "./moments";
export { runJob } from "./network";
export { productForward, productInputGradient, productWeightGradient } from "./products";

/** Whether products are fused with sums in a product of matrices. */
export const relaxed: bool = ASC_FEATURE_RELAXED_SIMD;

/** The first byte that the module itself does not use. */
export function heapBase(): usize {
  return __heap_base;
}
