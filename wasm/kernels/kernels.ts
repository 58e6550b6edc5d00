// The module's exports; `wasm/index.ts` describes them to TypeScript.

export { impute, standardise } from "./columnwise";
export { encodeFeature } from "./encode-features";
export { moments } from "./moments";
export { lossGradient, predict, trainEpoch } from "./network";

/** The first byte that the module itself does not use. */
export function heapBase(): usize {
  return __heap_base;
}
