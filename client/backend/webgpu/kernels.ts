import type { KernelName } from "../../../shaders/index.ts";

/** What a kernel does with a binding; `step` is a uniform at a dynamic offset. */
export type BindingUse = "read" | "write" | "uniform" | "step";

/** Bytes of `Step` in `shaders/lib/step.wgsl`. */
export const STEP_BYTES = 80;

/** The bindings of every kernel in group 0, in order, as its WGSL declares them. */
export const KERNEL_BINDINGS: Readonly<Record<KernelName, readonly BindingUse[]>> = {
  "encode-features": ["read", "read", "write", "uniform"],
  impute: ["read", "write", "uniform"],
  moments: ["read", "write", "uniform"],
  standardise: ["read", "read", "write", "uniform"],
  "gather-rows": ["read", "read", "write", "uniform"],
  dense: ["read", "read", "write", "uniform", "step"],
  "dense-4x4": ["read", "read", "write", "uniform", "step"],
  "dense-16x16": ["read", "read", "write", "uniform", "step"],
  "dense-shared": ["read", "read", "write", "uniform", "step"],
  "dense-weight-gradient": ["read", "read", "write", "uniform", "step"],
  "dense-weight-gradient-4x4": ["read", "read", "write", "uniform", "step"],
  "dense-weight-gradient-16x16": ["read", "read", "write", "uniform", "step"],
  "dense-weight-gradient-shared": ["read", "read", "write", "uniform", "step"],
  "dense-input-gradient": ["read", "read", "write", "uniform", "step"],
  "dense-input-gradient-4x4": ["read", "read", "write", "uniform", "step"],
  "dense-input-gradient-16x16": ["read", "read", "write", "uniform", "step"],
  "dense-input-gradient-shared": ["read", "read", "write", "uniform", "step"],
  activate: ["write", "write", "uniform", "step"],
  "activation-gradient": ["read", "write", "uniform", "step"],
  "softmax-cross-entropy": ["read", "read", "read", "write", "write", "uniform", "step"],
  "mean-squared-error": ["read", "read", "write", "write", "uniform", "step"],
  huber: ["read", "read", "write", "write", "uniform", "step"],
  gaussian: ["read", "read", "write", "write", "uniform", "step"],
  "gradient-sum": ["read", "write", "step"],
  "sum-of-squares": ["read", "write", "uniform"],
  "clip-scale": ["read", "write", "uniform"],
  "sgd-step": ["read", "write", "read", "read", "read", "uniform", "step"],
  "momentum-step": ["read", "write", "write", "read", "read", "read", "uniform", "step"],
  "adam-step": ["read", "write", "write", "write", "read", "read", "read", "uniform", "step"],
};
