import gradient from "./lib/gradient.wgsl?raw";
import layer from "./lib/layer.wgsl?raw";
import missing from "./lib/missing.wgsl?raw";
import philox from "./lib/philox.wgsl?raw";
import slices from "./lib/slices.wgsl?raw";
import step from "./lib/step.wgsl?raw";
import terms from "./lib/terms.wgsl?raw";
import encodeFeatures from "./preprocessing/encode-features.wgsl?raw";
import impute from "./preprocessing/impute.wgsl?raw";
import moments from "./preprocessing/moments.wgsl?raw";
import standardise from "./preprocessing/standardise.wgsl?raw";
import activate from "./training/activate.wgsl?raw";
import activationGradient from "./training/activation-gradient.wgsl?raw";
import dense from "./training/dense/dense.wgsl?raw";
import dense4x4 from "./training/dense/dense-4x4.wgsl?raw";
import dense16x16 from "./training/dense/dense-16x16.wgsl?raw";
import denseInputGradient from "./training/dense/dense-input-gradient.wgsl?raw";
import denseInputGradient4x4 from "./training/dense/dense-input-gradient-4x4.wgsl?raw";
import denseInputGradient16x16 from "./training/dense/dense-input-gradient-16x16.wgsl?raw";
import denseInputGradientShared from "./training/dense/dense-input-gradient-shared.wgsl?raw";
import denseShared from "./training/dense/dense-shared.wgsl?raw";
import denseWeightGradient from "./training/dense/dense-weight-gradient.wgsl?raw";
import denseWeightGradient4x4 from "./training/dense/dense-weight-gradient-4x4.wgsl?raw";
import denseWeightGradient16x16 from "./training/dense/dense-weight-gradient-16x16.wgsl?raw";
import denseWeightGradientShared from "./training/dense/dense-weight-gradient-shared.wgsl?raw";
import gatherRows from "./training/gather-rows.wgsl?raw";
import gaussian from "./training/heads/gaussian.wgsl?raw";
import huber from "./training/heads/huber.wgsl?raw";
import meanSquaredError from "./training/heads/mean-squared-error.wgsl?raw";
import softmaxCrossEntropy from "./training/heads/softmax-cross-entropy.wgsl?raw";
import adamStep from "./training/update/adam-step.wgsl?raw";
import clipScale from "./training/update/clip-scale.wgsl?raw";
import gradientSum from "./training/update/gradient-sum.wgsl?raw";
import momentumStep from "./training/update/momentum-step.wgsl?raw";
import sgdStep from "./training/update/sgd-step.wgsl?raw";
import sumOfSquares from "./training/update/sum-of-squares.wgsl?raw";

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
  "dense-4x4": dense4x4 + layer + step,
  "dense-16x16": dense16x16 + layer + step,
  "dense-shared": denseShared + layer + step,
  "dense-weight-gradient": denseWeightGradient + layer + step,
  "dense-weight-gradient-4x4": denseWeightGradient4x4 + layer + step,
  "dense-weight-gradient-16x16": denseWeightGradient16x16 + layer + step,
  "dense-weight-gradient-shared": denseWeightGradientShared + layer + step,
  "dense-input-gradient": denseInputGradient + layer + step,
  "dense-input-gradient-4x4": denseInputGradient4x4 + layer + step,
  "dense-input-gradient-16x16": denseInputGradient16x16 + layer + step,
  "dense-input-gradient-shared": denseInputGradientShared + layer + step,
  activate: activate + philox + missing + layer + step,
  "activation-gradient": activationGradient + layer + step,
  "softmax-cross-entropy": softmaxCrossEntropy + layer + step,
  "mean-squared-error": meanSquaredError + layer + step,
  huber: huber + layer + step,
  gaussian: gaussian + layer + step,
  "gradient-sum": gradientSum + slices + step,
  "sum-of-squares": sumOfSquares,
  "clip-scale": clipScale + terms,
  "sgd-step": sgdStep + gradient + terms + slices + step,
  "momentum-step": momentumStep + gradient + terms + slices + step,
  "adam-step": adamStep + gradient + terms + slices + step,
} as const;

/** A kernel: a key of `WGSL`. */
export type KernelName = keyof typeof WGSL;
