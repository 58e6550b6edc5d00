import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "../../client/backend/backend.ts";
import { describeMatrices } from "./backend-matrices.ts";
import { describeMoments } from "./backend-moments.ts";
import { describeActivations } from "./backend-training/activations.ts";
import { describeDropout } from "./backend-training/dropout.ts";
import { describeGradients } from "./backend-training/gradients.ts";
import { describeHeads } from "./backend-training/heads.ts";
import { describeOptimizers } from "./backend-training/optimizers.ts";
import { describeParts } from "./backend-training/parts.ts";
import { describeRefusals } from "./backend-training/refusals.ts";
import { describeRepeats } from "./backend-training/repeats.ts";
import { describeShapes } from "./backend-training/shapes.ts";
import { describeTerms } from "./backend-training/terms.ts";

/** Gives the backend under test; only valid inside a test. */
export type BackendOf = () => Backend;

/**
 * What every backend owes its callers, judged by the float64 oracle. Runs in Node and in Chromium.
 *
 * @param create a fresh backend; the suite disposes it
 */
export function describeBackend(name: string, create: () => Promise<Backend>): void {
  describe(`${name} backend`, () => {
    let made: Backend | null = null;
    beforeAll(async () => {
      made = await create();
    });
    afterAll(() => made?.dispose());
    const backend: BackendOf = () => {
      if (made === null) throw new Error("unreachable: beforeAll has made the backend");
      return made;
    };
    describeMatrices(backend);
    describeMoments(backend);
    describe("outputs and gradients", () => {
      describeGradients(backend);
      describeShapes(backend);
    });
    describeActivations(backend);
    describe("the head", () => {
      describeHeads(backend);
    });
    describe("a step", () => {
      describeOptimizers(backend);
      describeTerms(backend);
      describeDropout(backend);
    });
    describeRepeats(backend);
    describeParts(backend);
    describeRefusals(backend);
  });
}
