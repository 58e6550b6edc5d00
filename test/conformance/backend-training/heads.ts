import { describe, expect, test } from "vitest";
import { firstMismatch } from "../../oracle/close.ts";
import { lossGradient, outputsOf } from "../../oracle/network.ts";
import type { BackendOf } from "../backend.ts";
import { networkOf, SGD, withTrainer } from "../backend-run.ts";
import { inOrder, type Problem, problem, uniform } from "../samples.ts";
import { gradientMismatch } from "./gradients.ts";

/** What each head does at its edges. */
export function describeHeads(backend: BackendOf): void {
  describe("softmax cross-entropy", () => {
    describeSoftmax(backend);
  });
  describe("huber", () => {
    describeHuber(backend);
  });
  describe("gaussian", () => {
    describeGaussian(backend);
  });
}

function describeSoftmax(backend: BackendOf): void {
  const given = problem({ widths: [5, 9, 4], head: "softmax-cross-entropy", rows: 40, seed: 41 });

  test("a row's loss has its class's weight, and the mean is over rows", async () => {
    expect(await gradientMismatch(backend(), given, { ...SGD, classWeights: [0, 2.5, 1, 0.25] })).toBeNull();
  });

  test("rows of classes of weight 0 have no loss and no gradient", async () => {
    const training = { ...SGD, classWeights: [0, 0, 0, 0] };
    const rows = inOrder(given.rows);
    const found = await withTrainer(backend(), given, training, (trainer) => trainer.gradient(rows));
    expect(found.loss).toBe(0);
    expect(found.gradient.every((value) => value === 0)).toBe(true);
  });

  test("class weights of 1 change nothing", async () => {
    const gradients = [null, [1, 1, 1, 1]].map((classWeights) =>
      withTrainer(backend(), given, { ...SGD, classWeights }, (trainer) => trainer.gradient(inOrder(40))),
    );
    const [without, withOnes] = await Promise.all(gradients);
    expect(withOnes?.loss).toBe(without?.loss);
    expect(withOnes?.gradient).toEqual(without?.gradient);
  });

  test("logits in the thousands give a finite loss and whole probabilities", async () => {
    const small = problem({ widths: [3, 4], head: "softmax-cross-entropy", rows: 16, seed: 42 });
    const large = { ...small, parameters: uniform(small.parameters.length, 42, 2000) };
    const rows = inOrder(large.rows);
    const found = await withTrainer(backend(), large, SGD, (trainer) => trainer.gradient(rows));
    const expected = lossGradient(large.network, large.parameters, large.examples, rows);
    // A logit of 2^13 has units of 2^-10, and every gap that matters here is far larger.
    expect(firstMismatch([found.loss], [expected.loss], { rtol: 1e-5, atol: 1e-3 })).toBeNull();
    expect(firstMismatch(found.gradient, expected.gradient, { rtol: 1e-5, atol: 2e-3 })).toBeNull();
  });
}

function describeHuber(backend: BackendOf): void {
  const given = problem({ widths: [5, 9, 3], head: "huber", rows: 40, seed: 43 });

  test.each([
    { huberDelta: 0.01, squared: 0.01, where: "nearly all beyond delta" },
    { huberDelta: 1.25, squared: 0.5, where: "on both sides of delta" },
    { huberDelta: 1000, squared: 1, where: "all within delta" },
  ])("errors $where count as they should", async ({ huberDelta, squared }) => {
    const outputs = outputsOf(given.network, given.parameters, given.x, inOrder(given.rows));
    const within = outputs.filter((y, i) => Math.abs(y - (given.examples.targets[i] ?? 0)) <= huberDelta);
    expect(Math.abs(within.length / outputs.length - squared)).toBeLessThan(0.2);
    expect(await gradientMismatch(backend(), given, { ...SGD, huberDelta })).toBeNull();
  });

  test("an error of exactly delta has the loss and slope of both sides", async () => {
    // Output 0.5 whatever x is, targets 0 and 1.
    const at = { ...given, ...exactly([0.5], [0, 1]) };
    const found = await withTrainer(backend(), at, { ...SGD, huberDelta: 0.5 }, (trainer) =>
      trainer.gradient(Uint32Array.of(0)),
    );
    expect(found.loss).toBe(0.125);
    expect(found.gradient.at(-1)).toBe(0.5);
  });

  /** Regression without weights: its outputs are its biases, on as many rows as it has targets. */
  function exactly(biases: readonly number[], targets: readonly number[]): Problem {
    const rows = targets.length / biases.length;
    const shape = problem({ widths: [1, biases.length], head: "huber", rows });
    const values = Float32Array.from(targets);
    const parameters = Float32Array.of(...biases.map(() => 0), ...biases);
    const examples = { x: shape.x, targets: values };
    return { ...shape, parameters, targets: { kind: "value", values }, examples };
  }
}

function describeGaussian(backend: BackendOf): void {
  /** Two targets of means near 0, whose log-variances are about as given. */
  function withLogVariances(first: number, second: number): Problem {
    const given = problem({ widths: [3, 4], head: "gaussian", rows: 30, seed: 44 });
    const parameters = given.parameters.map((value) => value / 4);
    parameters[14] = first;
    parameters[15] = second;
    return { ...given, parameters };
  }

  test.each([
    { first: 0, second: 0, where: "near 0" },
    { first: 13, second: -13, where: "on both sides of 0, within 14" },
    { first: 14, second: -14, where: "on both sides of 14 and of -14" },
    { first: 40, second: -40, where: "beyond 14 and below -14" },
    { first: 1000, second: -1000, where: "where an exponential would overflow" },
  ])("log-variances $where have their loss and slopes", async ({ first, second }) => {
    expect(await gradientMismatch(backend(), withLogVariances(first, second))).toBeNull();
  });

  test("a log-variance that is held at 14 still has its slope", async () => {
    const given = withLogVariances(40, 40);
    const found = await withTrainer(backend(), given, SGD, (trainer) => trainer.gradient(inOrder(30)));
    // (1 - (m - t)^2 exp(-14)) / 2 over two targets: a quarter, less than 1e-5 of it.
    expect(firstMismatch(found.gradient.slice(14), [0.25, 0.25], { rtol: 1e-5, atol: 0 })).toBeNull();
  });

  test("outputs are means, then log-variances, as the network has them", async () => {
    const given = withLogVariances(40, -40);
    const outputs = await withTrainer(backend(), given, SGD, (trainer) => trainer.outputs());
    const expected = outputsOf(networkOf(given, SGD), given.parameters, given.x, inOrder(given.rows));
    expect(firstMismatch(outputs, expected, { rtol: 1e-6, atol: 1e-6 })).toBeNull();
  });
}
