import { afterAll, beforeAll, describe } from "vitest";
import type { Backend } from "../../client/backend/backend.ts";
import { describeGradients } from "./backend-gradients.ts";
import { describeMatrices } from "./backend-matrices.ts";
import { describeMoments } from "./backend-moments.ts";
import { describeTraining } from "./backend-training.ts";

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
    describeGradients(backend);
    describeTraining(backend);
  });
}
