import gradient from "./lib/gradient.wgsl?raw";
import layer from "./lib/layer.wgsl?raw";
import missing from "./lib/missing.wgsl?raw";
import step from "./lib/step.wgsl?raw";
import encodeFeatures from "./preprocessing/encode-features.wgsl?raw";
import impute from "./preprocessing/impute.wgsl?raw";
import moments from "./preprocessing/moments.wgsl?raw";
import standardise from "./preprocessing/standardise.wgsl?raw";
import adamStep from "./training/adam-step.wgsl?raw";
import dense from "./training/dense.wgsl?raw";
import denseInputGradient from "./training/dense-input-gradient.wgsl?raw";
import denseWeightGradient from "./training/dense-weight-gradient.wgsl?raw";
import gatherRows from "./training/gather-rows.wgsl?raw";
import gradientSum from "./training/gradient-sum.wgsl?raw";
import meanSquaredError from "./training/mean-squared-error.wgsl?raw";
import momentumStep from "./training/momentum-step.wgsl?raw";
import sgdStep from "./training/sgd-step.wgsl?raw";
import softmaxCrossEntropy from "./training/softmax-cross-entropy.wgsl?raw";

/**
 * WGSL sources by kernel, named as their files. What kernels share (`lib/`) follows a kernel's own lines, so
 * the line numbers of compiler messages are those of its file.
 */
export const WGSL = {
  "encode-features": encodeFeatures + missing,
  impute: impute + missing,
  moments: moments + missing,
  standardise,
  "gather-rows": gatherRows,
  dense: dense + layer + step,
  "dense-weight-gradient": denseWeightGradient + layer + step,
  "dense-input-gradient": denseInputGradient + layer + step,
  "softmax-cross-entropy": softmaxCrossEntropy + layer + step,
  "mean-squared-error": meanSquaredError + layer + step,
  "sgd-step": sgdStep + step + gradient,
  "momentum-step": momentumStep + step + gradient,
  "adam-step": adamStep + step + gradient,
  "gradient-sum": gradientSum + step + gradient,
} as const;

/** A kernel: a key of `WGSL`. */
export type KernelName = keyof typeof WGSL;
