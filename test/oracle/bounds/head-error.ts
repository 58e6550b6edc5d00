import { type Head, LARGEST_LOG_VARIANCE, rowLoss } from "../heads.ts";
import { type Estimate, expRounding, roundings, ULP } from "./rounding.ts";

/** Exponentials below e^-64 of a softmax's largest may be taken as 0. */
const SMALLEST_PROBABILITY = 2 ** -90;
/** WGSL's log errs by this much within [0.5, 2], by 3 units in the last place outside. */
const LOG_ERROR = 2 ** -21;

/** Largest errors of one row's loss and of its derivative by the outputs. */
export interface HeadError {
  readonly loss: number;
  readonly delta: Float64Array;
}

/** Errors of `rowLoss` where the outputs err as `y` says. */
export function headError(head: Head, y: Estimate, target: Float64Array): HeadError {
  switch (head.head) {
    case "softmax-cross-entropy":
      return crossEntropyError(head, y, target);
    case "mean-squared-error":
    case "huber":
      return residualError(head, y, target);
    case "gaussian":
      return gaussianError(head, y, target);
  }
}

function crossEntropyError(head: Head, y: Estimate, target: Float64Array): HeadError {
  const [k] = target;
  const count = y.value.length;
  const weight = head.classWeights ? head.classWeights[k] : 1;
  const { loss, delta } = rowLoss({ head: head.head }, y.value, target);
  const p = delta.map((value, o) => value + (o === k ? 1 : 0));
  const largest = y.value.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const gaps = y.value.map((value) => largest - value);
  const ofExp = gaps.map((gap) => expRounding(gap) + ULP * gap);
  const ofSum = ofExp.reduce((sum, value, o) => sum + p[o] * value, 0) + roundings(count + 1);
  const moved = y.error.reduce((a, b) => Math.max(a, b), 0);
  // A logit's move of e moves every probability by a factor of at most exp(2 e).
  const relative = ofExp.map((value) => (1 + Math.expm1(2 * moved)) * (1 + value + ofSum + roundings(4)) - 1);
  const carried = y.error.reduce((sum, value, o) => sum + p[o] * value, y.error[k]) + 2 * moved ** 2;
  const logSum = loss - gaps[k];
  return {
    loss: weight * (carried + ofSum + LOG_ERROR + roundings(4) * (logSum + gaps[k])),
    delta: p.map(
      (value, o) => weight * (value * relative[o] + SMALLEST_PROBABILITY + roundings(2) * Math.abs(delta[o])),
    ),
  };
}

function residualError(head: Head, y: Estimate, target: Float64Array): HeadError {
  const count = y.value.length;
  const { delta } = rowLoss(head, y.value, target);
  const d = head.huberDelta ?? 1;
  const errors = new Float64Array(count);
  let loss = 0;
  y.value.forEach((value, o) => {
    const e = Math.abs(value - target[o]);
    const ofResidual = y.error[o] + ULP * e;
    const squared = head.head === "mean-squared-error";
    const factor = squared ? 2 : 1;
    errors[o] = (factor * ofResidual + (squared ? 0 : ULP * d)) / count + roundings(3) * Math.abs(delta[o]);
    const steepest = squared ? 2 * e + ofResidual : Math.min(e + ofResidual, d);
    const magnitude = squared || e <= d ? e ** 2 : d * (e + d);
    loss += (steepest * ofResidual + roundings(count + 5) * magnitude) / count;
  });
  return { loss, delta: errors };
}

function gaussianError(head: Head, y: Estimate, target: Float64Array): HeadError {
  const count = target.length;
  const { delta } = rowLoss(head, y.value, target);
  const errors = new Float64Array(2 * count);
  let loss = 0;
  for (let o = 0; o < count; o++) {
    const s = Math.max(-LARGEST_LOG_VARIANCE, Math.min(LARGEST_LOG_VARIANCE, y.value[count + o]));
    const ofS = y.error[count + o];
    const e = Math.abs(y.value[o] - target[o]);
    const ofResidual = y.error[o] + ULP * e;
    const precision = Math.exp(-s);
    const worst = precision * Math.exp(ofS) * (1 + expRounding(s));
    const ofMean = (e + ofResidual) * worst - e * precision;
    const ofSquare = (e + ofResidual) ** 2 * worst * (1 + roundings(3)) - e ** 2 * precision;
    errors[o] = ofMean / count + roundings(4) * Math.abs(delta[o]);
    errors[count + o] = (ofSquare + ULP) / 2 / count + roundings(4) * Math.abs(delta[count + o]);
    const magnitude = Math.abs(s) + e ** 2 * precision;
    loss += (ofS + ofSquare + roundings(count + 4) * magnitude) / 2 / count;
  }
  return { loss, delta: errors };
}
